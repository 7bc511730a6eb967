/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Seals a share of a new key under each part of a policy. */
#include "sss/seal.h"

#include "sss/config.h"
#include "sss/shamir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What a check of a whole tree keeps at hand. */
struct check {
	const struct pin *const *pins;
	const struct log *log;
};

static int refuse(const struct check *check, const struct sss_spot *spot, const char *what)
{
	char name[LOG_LINE_MAX / 2];

	sss_spot_name(spot, name, sizeof(name));
	return log_err(check->log, -EINVAL, "sss: the policy%s%s %s", name[0] ? " at " : "", name,
		       what);
}

/* `n`: how many parts it has. */
static int check_members(const struct check *check, const struct sss_spot *spot, const json_t *cfg,
			 size_t n)
{
	const json_t *t = json_object_get(cfg, "t"), *pins = json_object_get(cfg, "pins");
	char what[128];

	if (!json_is_object(cfg))
		return refuse(check, spot, "is not an object with \"t\" and \"pins\"");
	if (json_object_size(cfg) != (size_t)(t ? 1 : 0) + (pins ? 1 : 0))
		return refuse(check, spot, "has members other than \"t\" and \"pins\"");
	if (!json_is_object(pins) || n == 0)
		return refuse(check, spot, "names no pins");
	(void)snprintf(what, sizeof(what), "has %zu parts, more than %d", n, SSS_SHARES_MAX);
	if (n > SSS_SHARES_MAX)
		return refuse(check, spot, what);
	(void)snprintf(
		what, sizeof(what),
		"has a threshold \"t\" that is not a number from 1 to %zu, as many as it has "
		"parts",
		n);
	return sss_threshold_ok(cfg, n) ? 0 : refuse(check, spot, what);
}

static int check_config(const struct check *check, const struct sss_spot *spot, const json_t *cfg);

static int check_part(const struct check *check, const struct sss_spot *spot, const json_t *cfg)
{
	const struct pin *pin = pin_by_name(check->pins, spot->pin);

	if (!pin)
		return refuse(check, spot, "names a pin that is not supported here");
	if (!json_is_object(cfg))
		return refuse(check, spot, "is not an object");
	return pin == &pin_sss ? check_config(check, spot, cfg) : 0;
}

static int check_lists(const struct check *check, const struct sss_spot *spot, const json_t *cfg)
{
	struct sss_spot part = {.above = spot};
	const json_t *value;

	json_object_foreach(json_object_get(cfg, "pins"), part.pin, value)
		if (json_is_array(value) && json_array_size(value) == 0)
			return refuse(check, &part, "is missing: the list is empty");
	return 0;
}

static int check_config(const struct check *check, const struct sss_spot *spot, const json_t *cfg)
{
	CLEANUP_JSON json_t *parts = sss_parts(cfg);
	const json_t *part;
	size_t i;
	int r;

	if (!parts)
		return -ENOMEM;
	if (spot->depth >= SSS_DEPTH_MAX)
		return refuse(check, spot, "is nested too deep");
	r = check_members(check, spot, cfg, json_array_size(parts));
	if (r == 0)
		r = check_lists(check, spot, cfg);
	json_array_foreach(parts, i, part) {
		struct sss_spot below = sss_part_spot(part, spot);

		if (r == 0)
			r = check_part(check, &below, sss_part_config(part));
	}
	return r;
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

static int seal_parts(struct sealing *s, const json_t *parts)
{
	const json_t *part;
	size_t i;
	int r = 0;

	s->cot->depth++;
	json_array_foreach(parts, i, part) {
		s->pin = sss_part_pin(part);
		if (r == 0)
			r = seal_part(s, sss_part_config(part));
	}
	s->cot->depth--;
	return r;
}

int seal_policy(struct cot *cot, const json_t *cfg, json_t *hdr, struct buf *ret_cek)
{
	const struct check check = {cot->pins, cot->log};
	const struct sss_spot root = {.depth = cot->depth};
	CLEANUP(buf_done) struct buf shares = {0};
	CLEANUP(buf_done) struct buf secret = {0};
	CLEANUP_JSON json_t *parts = sss_parts(cfg), *jwes = json_array();
	struct sealing sealing;
	unsigned threshold;
	int r;

	if (!parts || !jwes)
		return -ENOMEM;
	r = check_config(&check, &root, cfg);
	if (r < 0)
		return r;
	threshold = (unsigned)sss_threshold(cfg);
	r = shamir_split(threshold, (unsigned)json_array_size(parts), &secret, &shares);
	if (r < 0)
		return r;

	sealing = (struct sealing){cot, cot->log, jwes, buf_ref(&shares), NULL};
	r = seal_parts(&sealing, parts);
	if (r == 0)
		r = set_header(hdr, threshold, jwes);
	if (r < 0)
		return r;

	*ret_cek = TAKE_STRUCT(secret);
	return 0;
}
