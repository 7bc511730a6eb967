/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Converts Clevis's tokens. */
#include "enroll/clevis-token.h"

#include "crypto/js.h"
#include "enroll/tree.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#define CLEANUP_TEXT CLEANUP(free_text)

static const char extras_name[] = "cotter";

/* Deeper than any tree that token_parse() accepts. */
enum { DEPTH_MAX = 8 };

static int refuse_foreign(const json_t *hdr, unsigned depth, const struct log *log);

static int refuse_foreign_share(const json_t *share, unsigned depth, const struct log *log)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	const char *text = json_string_value(share);
	int r;

	r = text ? jwe_from_compact(ref_str(text), &jwe) : 0;
	if (r == -ENOMEM)
		return r;
	return text && r == 0 ? refuse_foreign(jwe.hdr, depth + 1, log) : 0;
}

/* A policy could be met without them, but the volume's owner would lose a way in. */
static int refuse_foreign(const json_t *hdr, unsigned depth, const struct log *log)
{
	const json_t *clevis = json_object_get(hdr, "clevis"), *share;
	const char *pin = js_str(clevis, "pin");
	size_t i;

	if (pin && !pin_by_name(pins, pin))
		return log_err(log, -ENOPKG, "its policy has the pin \"%.64s\", which cotter lacks",
			       pin);
	json_array_foreach(json_object_get(json_object_get(clevis, TREE_PIN), "jwe"), i, share) {
		int r = depth < DEPTH_MAX ? refuse_foreign_share(share, depth, log) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int read_header(const json_t *json, const struct log *log, json_t **ret)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	int r;

	r = jwe_from_json(json_object_get(json, "jwe"), &jwe);
	/* Which is what another pin's JWE may take. */
	if (r < 0)
		return log_err(log, r == -EOPNOTSUPP ? -ENOPKG : r, "its JWE %s", jwe_explain(r));
	*ret = json_incref(jwe.hdr);
	return 0;
}

/* Takes nothing away: what else stands in it may be somebody's. */
static int rewrite(json_t *json, const char *pin, const char *label)
{
	json_t *extras = json_pack("{s:i, s:s*}", "version", TOKEN_VERSION, "label", label);

	if (json_object_set_new(json, extras_name, extras) != 0 ||
	    json_object_set_new(json, "type", json_sprintf(TOKEN_TYPE_PREFIX "%s", pin)) != 0)
		return -ENOMEM;
	return 0;
}

/* What the drop-in's commands note between their steps (cotter-token(5)). */
static bool is_in_change(const json_t *json)
{
	const json_t *extras = json_object_get(json, extras_name);

	return json_object_get(extras, "place") || json_object_get(extras, "unfinished");
}

int clevis_token_convert(const char *text, const char *label, const struct log *log, char **ret)
{
	CLEANUP_JSON json_t *json = NULL, *hdr = NULL;
	CLEANUP(token_done) struct token token = {0};
	CLEANUP_TEXT char *converted = NULL;
	const char *pin;
	int r;

	r = js_load(ref_str(text), &json);
	if (r < 0)
		return log_err(log, r, "it is not JSON, or too large");
	if (is_in_change(json))
		return log_err(log, -EPERM,
			       "a change of it was interrupted, which the same command of clevis, "
			       "regen or edit, brings to its end");
	r = read_header(json, log, &hdr);
	if (r < 0)
		return r;
	pin = js_str(json_object_get(hdr, "clevis"), "pin");
	if (!pin)
		return log_err(log, -EBADMSG, "its JWE names no pin");

	r = refuse_foreign(hdr, 0, log);
	if (r == 0)
		r = rewrite(json, pin, label);
	if (r == 0)
		r = js_dump(json, &converted);
	if (r == 0)
		r = token_parse(ref_str(converted), log, &token);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(converted);
	return 0;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Up to the next dot, or the end; base64url. */
static int take_part(struct ref *text, json_t **ret)
{
	const uint8_t *dot = memchr(text->p, '.', text->n);
	size_t n = dot ? (size_t)(dot - text->p) : text->n;
	json_t *part;

	for (size_t i = 0; i < n; i++)
		if (!isalnum(text->p[i]) && text->p[i] != '-' && text->p[i] != '_')
			return -EBADMSG;
	part = json_stringn((const char *)text->p, n);
	if (!part)
		return -ENOMEM;
	n += dot ? 1 : 0;
	text->p += n;
	text->n -= n;
	*ret = part;
	return 0;
}

int clevis_token_from_compact(struct ref text, unsigned keyslot, json_t **ret)
{
	static const char *const names[] = {"protected", "encrypted_key", "iv", "ciphertext",
					    "tag"};
	CLEANUP_JSON json_t *jwe = json_object();
	json_t *token;

	while (text.n > 0 && is_space(text.p[text.n - 1]))
		text.n--;
	while (text.n > 0 && is_space(text.p[0]))
		text = (struct ref){text.p + 1, text.n - 1};
	if (text.n > 0 && text.p[text.n - 1] == '.')
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		json_t *part = NULL;
		int r;

		if (text.n == 0)
			return -EBADMSG;
		r = take_part(&text, &part);
		if (r == 0 && json_object_set_new(jwe, names[i], part) != 0)
			r = -ENOMEM;
		if (r < 0)
			return r;
	}
	if (text.n > 0)
		return -EBADMSG;

	token = json_pack("{s:s, s:[o], s:O}", "type", TOKEN_TYPE_CLEVIS, "keyslots",
			  json_sprintf("%u", keyslot), "jwe", jwe);
	if (!token)
		return -ENOMEM;
	*ret = token;
	return 0;
}
