/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Seals a share of a new key under each part of a policy. */
#include "sss/seal.h"

#include "sss/shamir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A configuration within a tree of them. */
struct spot {
	const struct pin *const *pins;
	const struct log *log;
	const struct spot *above; /* NULL at the root */
	const char *pin;          /* what the one above names it, and which one of those it is */
	size_t i;
	unsigned depth;
};

/* Where an error is, as one would write it in a program: "pins.sss[0].pins.tang". */
static void spot_name(const struct spot *spot, char *ret, size_t size)
{
	size_t n;

	ret[0] = '\0';
	if (spot->above)
		spot_name(spot->above, ret, size);
	n = strlen(ret);
	if (spot->above)
		(void)snprintf(ret + n, size - n, "%spins.%.32s[%zu]", n > 0 ? "." : "", spot->pin,
			       spot->i);
}

static int refuse(const struct spot *spot, const char *what)
{
	char name[LOG_LINE_MAX / 2];

	spot_name(spot, name, sizeof(name));
	return log_err(spot->log, -EINVAL, "sss: the policy%s%s %s", name[0] ? " at " : "", name,
		       what);
}

static size_t count_parts(const json_t *pins)
{
	const json_t *value;
	const char *name;
	size_t n = 0;

	/* A pin's value is one configuration or an array of them. */
	json_object_foreach((json_t *)(uintptr_t)pins, name, value)
		n += json_is_array(value) ? json_array_size(value) : 1;
	return n;
}

static int check_members(const struct spot *spot, const json_t *cfg)
{
	const json_t *t = json_object_get(cfg, "t"), *pins = json_object_get(cfg, "pins");
	size_t n = count_parts(pins);
	char what[128];

	if (!json_is_object(cfg))
		return refuse(spot, "is not an object with \"t\" and \"pins\"");
	if (json_object_size(cfg) != (size_t)(t ? 1 : 0) + (pins ? 1 : 0))
		return refuse(spot, "has members other than \"t\" and \"pins\"");
	if (!json_is_object(pins) || n == 0)
		return refuse(spot, "names no pins");
	(void)snprintf(what, sizeof(what), "has %zu parts, more than %d", n, SSS_SHARES_MAX);
	if (n > SSS_SHARES_MAX)
		return refuse(spot, what);
	(void)snprintf(
		what, sizeof(what),
		"has a threshold \"t\" that is not a number from 1 to %zu, as many as it has "
		"parts",
		n);
	if (t && (!json_is_integer(t) || json_integer_value(t) < 1 ||
		  json_integer_value(t) > (json_int_t)n))
		return refuse(spot, what);
	return 0;
}

static int check_config(const struct spot *spot, const json_t *cfg);

static int check_part(const struct spot *spot, const json_t *cfg)
{
	const struct pin *pin = pin_by_name(spot->pins, spot->pin);

	if (!pin)
		return refuse(spot, "names a pin that is not supported here");
	if (!json_is_object(cfg))
		return refuse(spot, "is not an object");
	return pin == &pin_sss ? check_config(spot, cfg) : 0;
}

static int check_config(const struct spot *spot, const json_t *cfg)
{
	struct spot part = {spot->pins, spot->log, spot, NULL, 0, spot->depth + 1};
	const json_t *value, *item;
	int r;

	if (spot->depth >= SSS_DEPTH_MAX)
		return refuse(spot, "is nested too deep");
	r = check_members(spot, cfg);
	if (r < 0)
		return r;

	json_object_foreach(json_object_get(cfg, "pins"), part.pin, value) {
		part.i = 0;
		if (!json_is_array(value))
			r = check_part(&part, value);
		else if (json_array_size(value) == 0)
			r = refuse(&part, "is missing: the list is empty");
		json_array_foreach(value, part.i, item)
			if (r == 0)
				r = check_part(&part, item);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The shares of one policy on their way into JWEs, in the order of the configuration. */
struct sealing {
	struct cot *cot;
	const struct log *outer;
	json_t *jwes;
	struct ref shares; /* those that are left */
	const char *pin;   /* of the present one */
};

/* What is told on the way says of which part it is. */
static void part_sink(void *to, enum log_level level, const char *line)
{
	const struct sealing *s = to;
	size_t number = json_array_size(s->jwes) + 1;

	(void)(level == LOG_LEVEL_ERROR ? log_err : log_dbg)(s->outer, 0, "share %zu (%s): %s",
							     number, s->pin, line);
}

static int seal_part(struct sealing *s, const json_t *cfg)
{
	const struct log log = {.sink = part_sink, .to = s, .debug = s->outer && s->outer->debug};
	struct ref share = {s->shares.p, SHAMIR_SHARE_SIZE};
	CLEANUP(jwe_done) struct jwe jwe = {0};
	char *text;
	int r;

	s->cot->log = &log;
	r = pin_seal(s->cot, s->pin, cfg, share, &jwe);
	s->cot->log = s->outer;
	if (r == 0)
		r = jwe_to_compact(&jwe, &text);
	if (r < 0)
		return r;

	s->shares = (struct ref){share.p + share.n, s->shares.n - share.n};
	r = json_array_append_new(s->jwes, json_string(text)) == 0 ? 0 : -ENOMEM;
	free(text);
	return r;
}

static int seal_parts(struct sealing *s, const json_t *pins)
{
	const json_t *value, *item;
	size_t i;
	int r = 0;

	json_object_foreach((json_t *)(uintptr_t)pins, s->pin, value) {
		if (!json_is_array(value))
			r = seal_part(s, value);
		json_array_foreach(value, i, item)
			if (r == 0)
				r = seal_part(s, item);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_header(json_t *hdr, unsigned t, json_t *jwes)
{
	json_t *sss = json_pack("{s:i, s:o, s:O}", "t", (int)t, "p",
				js_from_b64((struct ref){shamir_prime, SHAMIR_SIZE}), "jwe", jwes);

	if (json_object_set_new(json_object_get(hdr, "clevis"), "sss", sss) != 0 ||
	    json_object_set_new(hdr, "alg", json_string("dir")) != 0 ||
	    json_object_set_new(hdr, "enc", json_string("A256GCM")) != 0)
		return -ENOMEM;
	return 0;
}

int seal_policy(struct cot *cot, const json_t *cfg, json_t *hdr, struct buf *ret_cek)
{
	const struct spot root = {cot->pins, cot->log, NULL, NULL, 0, cot->depth};
	const json_t *t = json_object_get(cfg, "t"), *pins = json_object_get(cfg, "pins");
	CLEANUP(buf_done) struct buf shares = {0};
	CLEANUP(buf_done) struct buf secret = {0};
	CLEANUP_JSON json_t *jwes = json_array();
	struct sealing sealing;
	unsigned threshold;
	int r;

	r = check_config(&root, cfg);
	if (r < 0)
		return r;
	threshold = t ? (unsigned)json_integer_value(t) : 1;
	r = jwes ? shamir_split(threshold, (unsigned)count_parts(pins), &secret, &shares) : -ENOMEM;
	if (r < 0)
		return r;

	sealing = (struct sealing){cot, cot->log, jwes, buf_ref(&shares), NULL};
	cot->depth++;
	r = seal_parts(&sealing, pins);
	cot->depth--;
	if (r == 0)
		r = set_header(hdr, threshold, jwes);
	if (r < 0)
		return r;

	*ret_cek = TAKE_STRUCT(secret);
	return 0;
}
