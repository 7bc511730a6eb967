/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads, checks and describes trees of policies. */
#include "sss/policy.h"

#include "sss/shamir.h"

#include <errno.h>
#include <stdio.h>

/* The pins that may be used, and how deep in a tree of policies we are. */
struct place {
	const struct pin *const *pins;
	unsigned depth;
};

/* A share's JWE, once parsed; a pin that is in the table; and why it cannot be used here, or "". */
struct child {
	struct jwe jwe;
	const struct pin *pin;
	char why[LOG_LINE_MAX];
	struct log log; /* fills `why` */
};

void policy_done(struct policy *policy)
{
	buf_done(&policy->prime);
	*policy = (struct policy){0};
}

int policy_read(const json_t *hdr, const struct log *log, struct policy *ret)
{
	const json_t *sss = json_object_get(json_object_get(hdr, "clevis"), "sss");
	const json_t *t = json_object_get(sss, "t"), *child;
	CLEANUP(policy_done) struct policy policy = {.children = json_object_get(sss, "jwe")};
	size_t n = json_array_size(policy.children), i;
	int r;

	r = js_b64(sss, "p", &policy.prime);
	if (r == -ENOMEM)
		return r;
	/* A number as long as the prime is the content encryption key. */
	if (r < 0 || policy.prime.n != JWE_CEK_SIZE || !shamir_prime_ok(buf_ref(&policy.prime)))
		return log_err(log, -EBADMSG, "sss: \"p\" is missing or not a prime of %d bytes",
			       JWE_CEK_SIZE);
	if (n == 0)
		return log_err(log, -EBADMSG, "sss: \"jwe\" is missing or holds no shares");
	if (n > SSS_SHARES_MAX)
		return log_err(log, -E2BIG, "sss: there are more than %d shares", SSS_SHARES_MAX);
	if (!json_is_integer(t) || json_integer_value(t) < 1 ||
	    json_integer_value(t) > (json_int_t)n)
		return log_err(log, -EBADMSG,
			       "sss: the threshold \"t\" is not a number from 1 to %zu, as many as "
			       "there are shares",
			       n);
	json_array_foreach(policy.children, i, child)
		if (!json_is_string(child))
			return log_err(log, -EBADMSG, "sss: share %zu is not a compact JWE", i + 1);

	policy.t = (unsigned)json_integer_value(t);
	policy.n = (unsigned)n;
	*ret = TAKE_STRUCT(policy);
	return 0;
}

struct ref policy_child(const struct policy *policy, unsigned i)
{
	return ref_str(json_string_value(json_array_get(policy->children, i)));
}

static int check_at(const struct place *place, const json_t *hdr, const struct log *log);

static void keep_error(void *to, enum log_level level, const char *line)
{
	struct child *child = to;

	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(child->why, sizeof(child->why), "%s", line);
}

static void child_done(struct child *child)
{
	jwe_done(&child->jwe);
}

/* Another policy is looked into here, for its depth; any other pin looks for itself. */
static int child_check(const struct place *place, struct child *child)
{
	const struct place within = {place->pins, place->depth + 1};
	const struct pin *unused;

	if (child->pin == &pin_sss)
		return check_at(&within, child->jwe.hdr, &child->log);
	return pin_check(place->pins, child->jwe.hdr, &child->log, &unused);
}

/* Fills a zeroed child as far as its share can be read; an error says that it cannot be used. */
static int child_read(const struct place *place, struct ref text, struct child *child)
{
	int r;

	child->log = (struct log){.sink = keep_error, .to = child};
	r = jwe_from_compact(text, &child->jwe);
	if (r < 0)
		return log_err(&child->log, r, "its JWE %s", jwe_explain(r));

	child->pin = pin_find(place->pins, child->jwe.hdr);
	r = child_check(place, child);
	if (r < 0 && !child->why[0])
		(void)log_err(&child->log, r, "%s", strerror(-r));
	return r;
}

static int check_at(const struct place *place, const json_t *hdr, const struct log *log)
{
	CLEANUP(policy_done) struct policy policy = {0};
	char first_why[LOG_LINE_MAX / 2] = "";
	int r, first_error = 0;
	unsigned good = 0;

	if (place->depth >= SSS_DEPTH_MAX)
		return log_err(log, -E2BIG, "sss: thresholds are nested more than %d deep",
			       SSS_DEPTH_MAX);
	r = policy_read(hdr, log, &policy);
	if (r < 0)
		return r;

	for (unsigned i = 0; i < policy.n && good < policy.t; i++) {
		CLEANUP(child_done) struct child child = {0};

		r = child_read(place, policy_child(&policy, i), &child);
		if (r == 0)
			good++;
		if (r < 0 && first_error == 0) {
			first_error = r;
			(void)snprintf(first_why, sizeof(first_why), "share %u: %.200s", i + 1,
				       child.why);
		}
	}
	if (good >= policy.t)
		return 0;
	/* Further down only the way to the first cause is told. */
	if (place->depth > 0)
		return log_err(log, first_error, "%s", first_why);
	return log_err(log, first_error,
		       "sss: %u of its %u shares can be used here, and %u are needed: %s", good,
		       policy.n, policy.t, first_why);
}

int policy_check(const struct pin *const *pins, const json_t *hdr, const struct log *log)
{
	const struct place root = {pins, 0};

	return check_at(&root, hdr, log);
}

static int describe_at(const struct place *place, const json_t *hdr, json_t *facts);

/* What the pin describes, but that its own fact of the name "pin" makes way for the share's. */
static int describe_usable(const struct place *place, const struct child *child, json_t *share)
{
	const struct place within = {place->pins, place->depth + 1};
	CLEANUP_JSON json_t *facts = json_object();
	const char *name;
	json_t *fact;
	int r;

	if (child->pin == &pin_sss)
		r = describe_at(&within, child->jwe.hdr, facts);
	else
		r = child->pin->describe(place->pins, child->jwe.hdr, facts);
	if (r < 0)
		return r;

	json_object_foreach(facts, name, fact)
		if (json_object_set(share, strcmp(name, "pin") == 0 ? "user_pin" : name, fact) != 0)
			return -ENOMEM;
	return 0;
}

static int describe_child(const struct place *place, struct ref text, json_t **ret)
{
	CLEANUP(child_done) struct child child = {0};
	CLEANUP_JSON json_t *share = json_object();
	const char *name;
	int r;

	r = child_read(place, text, &child);
	name = js_str(json_object_get(child.jwe.hdr, "clevis"), "pin");
	if (json_object_set_new(share, "pin", json_string(name ? name : "unknown")) != 0)
		return -ENOMEM;
	if (r == 0)
		r = describe_usable(place, &child, share);
	else
		r = json_object_set_new(share, "unusable", json_string(child.why));
	if (r < 0)
		return -ENOMEM;

	*ret = TAKE_PTR(share);
	return 0;
}

static int describe_at(const struct place *place, const json_t *hdr, json_t *facts)
{
	CLEANUP(policy_done) struct policy policy = {0};
	CLEANUP_JSON json_t *shares = json_array();
	int r;

	r = policy_read(hdr, NULL, &policy);
	for (unsigned i = 0; r == 0 && i < policy.n; i++) {
		json_t *child = NULL;

		r = describe_child(place, policy_child(&policy, i), &child);
		if (r == 0 && json_array_append_new(shares, child) != 0)
			r = -ENOMEM;
	}
	if (r < 0)
		return r;
	if (json_object_set_new(facts, "threshold", json_integer(policy.t)) != 0 ||
	    json_object_set(facts, "shares", shares) != 0)
		return -ENOMEM;
	return 0;
}

int policy_describe(const struct pin *const *pins, const json_t *hdr, json_t *facts)
{
	const struct place root = {pins, 0};

	return describe_at(&root, hdr, facts);
}

/* Whether `says` is true of any share that can be used. */
static bool any_at(const struct place *place, const json_t *hdr,
		   bool (*says)(const struct pin *const *pins, const struct child *child))
{
	const struct place within = {place->pins, place->depth + 1};
	CLEANUP(policy_done) struct policy policy = {0};
	bool any = false;

	if (policy_read(hdr, NULL, &policy) < 0)
		return false;
	for (unsigned i = 0; !any && i < policy.n; i++) {
		CLEANUP(child_done) struct child child = {0};

		if (child_read(place, policy_child(&policy, i), &child) < 0)
			continue;
		any = child.pin == &pin_sss ? any_at(&within, child.jwe.hdr, says)
					    : says(place->pins, &child);
	}
	return any;
}

static bool child_wants_pin(const struct pin *const *pins, const struct child *child)
{
	return child->pin->wants_pin && child->pin->wants_pin(pins, child->jwe.hdr);
}

static bool child_uses_network(const struct pin *const *pins, const struct child *child)
{
	return child->pin->uses_network ? child->pin->uses_network(pins, child->jwe.hdr)
					: child->pin->flags & PIN_NET;
}

bool policy_wants_pin(const struct pin *const *pins, const json_t *hdr)
{
	const struct place root = {pins, 0};

	return any_at(&root, hdr, child_wants_pin);
}

bool policy_uses_network(const struct pin *const *pins, const json_t *hdr)
{
	const struct place root = {pins, 0};

	return any_at(&root, hdr, child_uses_network);
}
