/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rewrites JWEs. */
#include "enroll/clevis/jwe-text.h"

#include "crypto/b64.h"

#include <errno.h>
#include <stdio.h>

enum { PARTS = 5 };

static const char *const names[PARTS] = {"protected", "encrypted_key", "iv", "ciphertext", "tag"};

static bool is_part(const char *text, size_t n)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	return strspn(text, letters) >= n;
}

int jwe_text_to_json(const char *compact, json_t **ret)
{
	CLEANUP_JSON json_t *json = json_object();
	const char *at = compact;

	for (size_t i = 0; i < PARTS; i++) {
		size_t n = strcspn(at, ".");
		bool last = i == PARTS - 1;

		if (last)
			n = strcspn(at, " \t\r\n"); /* what prints it may add a newline */
		if (!is_part(at, n) || (!last && at[n] != '.') ||
		    (last && at[n + strspn(at + n, " \t\r\n")] != '\0'))
			return -EBADMSG;
		if (json_object_set_new(json, names[i], json_stringn(at, n)) != 0)
			return -ENOMEM;
		at += n + 1;
	}

	*ret = TAKE_PTR(json);
	return 0;
}

/* What José wrote may end with the newline that was there in the text. */
static struct ref part_of(const json_t *jwe, const char *name)
{
	const char *text = js_str(jwe, name);
	struct ref part = ref_str(text ? text : "");

	while (part.n > 0 && (part.p[part.n - 1] == '\n' || part.p[part.n - 1] == '\r'))
		part.n--;
	return part;
}

static int join(const json_t *jwe, char **ret)
{
	CLEANUP(buf_done) struct buf text = {0};
	size_t size = PARTS;
	int r;

	for (size_t i = 0; i < PARTS; i++)
		size += part_of(jwe, names[i]).n;
	r = buf_init(&text, size);
	for (size_t i = 0; r == 0 && i < PARTS; i++) {
		struct ref part = part_of(jwe, names[i]);

		if (!is_part((const char *)part.p, part.n) || (part.n == 0 && i == 0))
			return -EBADMSG;
		r = i > 0 ? buf_append(&text, ".", 1) : 0;
		if (r == 0)
			r = buf_append(&text, part.p, part.n);
	}
	if (r < 0)
		return r;

	*ret = strndup((const char *)text.p, text.n);
	return *ret ? 0 : -ENOMEM;
}

int jwe_text_to_compact(const json_t *jwe, char **ret)
{
	const char *compact = json_string_value(jwe);
	CLEANUP_JSON json_t *json = NULL;
	int r;

	if (!compact)
		return json_is_object(jwe) ? join(jwe, ret) : -EBADMSG;
	r = jwe_text_to_json(compact, &json);
	return r < 0 ? r : join(json, ret);
}

int jwe_text_header(const char *compact, json_t **ret)
{
	CLEANUP(buf_done) struct buf header = {0};
	int r;

	r = b64_decode((struct ref){(const uint8_t *)compact, strcspn(compact, ".")}, &header);
	return r < 0 ? r : js_load(buf_ref(&header), ret);
}
