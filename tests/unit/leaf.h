/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Leaves for trees of policies: the pins "near" (local), "far" (network) and "asks" (local, with a PIN),
 * whose configuration {"n": N} says which leaf of the table they are. The table says what they do.
 */
#pragma once

#include "sss/sss.h"
#include "tests/unit/lines.h"

enum { LEAVES_MAX = 64 };

static struct leaf {
	int result;     /* of the recovery; 0: the key */
	unsigned steps; /* -EINPROGRESS so often before, of those that may send */
	bool wrong_key;
	int check; /* the result of looking at the header */

	bool sent; /* it used the network */
	unsigned calls, releases;
} leaves[LEAVES_MAX];

static unsigned leaf_sends; /* of all leaves, by now */

static inline struct leaf *leaf_of(const json_t *hdr)
{
	const json_t *clevis = json_object_get(hdr, "clevis");
	const json_t *n = json_object_get(json_object_get(clevis, js_str(clevis, "pin")), "n");

	assert_in_range(json_integer_value(n), 0, LEAVES_MAX - 1);
	return &leaves[json_integer_value(n)];
}

static inline int leaf_key(const struct leaf *leaf, struct buf *ret)
{
	uint8_t key[JWE_CEK_SIZE] = "the key of one of the leaves";

	key[JWE_CEK_SIZE - 1] = (uint8_t)(leaf - leaves);
	key[0] ^= leaf->wrong_key;
	return buf_copy(ret, (struct ref){key, sizeof(key)});
}

static inline int leaf_check(const struct pin *const *all, const json_t *hdr, const struct log *log)
{
	const struct leaf *leaf = leaf_of(hdr);

	(void)all;
	return leaf->check < 0 ? log_err(log, leaf->check, "the leaf is not usable") : 0;
}

static inline int leaf_encrypt(struct cot *cot, const json_t *cfg, json_t *hdr, struct buf *ret_cek)
{
	json_t *clevis = json_object_get(hdr, "clevis");

	if (!json_is_integer(json_object_get(cfg, "n")))
		return log_err(cot->log, -EINVAL, "the leaf has no number");
	assert_int_equal(json_object_set_new(hdr, "alg", json_string("dir")), 0);
	assert_int_equal(json_object_set_new(hdr, "enc", json_string("A256GCM")), 0);
	assert_int_equal(json_object_set_new(clevis, js_str(clevis, "pin"), json_deep_copy(cfg)),
			 0);
	return leaf_key(leaf_of(hdr), ret_cek);
}

static inline int leaf_decrypt(struct cot *cot, struct job *job, struct buf *ret_cek)
{
	struct leaf *leaf = leaf_of(job->jwe->hdr);

	leaf->calls++;
	if (job->pin->flags & PIN_NET) {
		if (!cot->network)
			return -EINPROGRESS;
		leaf_sends += !leaf->sent;
		leaf->sent = true;
	}
	(void)snprintf(job->where, sizeof(job->where), "leaf %zu", (size_t)(leaf - leaves));
	if (now_us() >= cot->deadline_us)
		return log_err(&job->log, -ETIMEDOUT, "%s: it was too late", job->where);
	if (leaf->steps > 0) {
		if (leaf->steps != UINT32_MAX) {
			leaf->steps--;
			cot_wake_at(cot, 1);
		}
		return -EINPROGRESS;
	}
	if (leaf->result == 0 && job->pin->flags & PIN_USER_PIN && !cot->user_pin.p)
		return log_err(&job->log, -ENOANO, "%s: it wants a PIN", job->where);
	if (leaf->result < 0)
		return log_err(&job->log, leaf->result, "%s: it failed with %d", job->where,
			       -leaf->result);
	return leaf_key(leaf, ret_cek);
}

static inline int leaf_describe(const struct pin *const *all, const json_t *hdr, json_t *facts)
{
	(void)all;
	return json_object_set_new(facts, "leaf", json_integer(leaf_of(hdr) - leaves)) == 0 &&
			       json_object_set_new(facts, "pin", json_string("mine")) == 0
		       ? 0
		       : -ENOMEM;
}

static inline bool leaf_wants_pin(const struct pin *const *all, const json_t *hdr)
{
	(void)all;
	(void)hdr;
	return true;
}

static inline void leaf_release(struct job *job)
{
	leaf_of(job->jwe->hdr)->releases++;
}

#define LEAF_PIN(pin_name, pin_flags, wants)                                                 \
	{                                                                                    \
		.name = pin_name, .flags = pin_flags, .check = leaf_check,                   \
		.encrypt = leaf_encrypt, .decrypt = leaf_decrypt, .describe = leaf_describe, \
		.wants_pin = wants, .release = leaf_release,                                 \
	}
static const struct pin pin_near = LEAF_PIN("near", PIN_LOCAL, NULL);
static const struct pin pin_far = LEAF_PIN("far", PIN_NET, NULL);
static const struct pin pin_asks = LEAF_PIN("asks", PIN_LOCAL | PIN_USER_PIN, leaf_wants_pin);
static const struct pin *const leaf_pins[] = {&pin_near, &pin_far, &pin_asks, &pin_sss, NULL};

/* The secret sealed under this configuration of an sss pin. */
static inline struct jwe leaf_seal(const char *config, const char *secret)
{
	struct lines lines;
	struct cot cot = {.pins = leaf_pins, .log = lines_begin(&lines)};
	CLEANUP_JSON json_t *cfg = json_of(config);
	struct jwe jwe = {0};

	expect(config, pin_seal(&cot, "sss", cfg, ref_str(secret), &jwe), 0);
	assert_told(config, &lines, NULL);
	cot_done(&cot);
	return jwe;
}
