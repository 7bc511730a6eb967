/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pin that needs nothing but its header, and does what that says: with {"result":N} in clevis.local
 * it fails with -N and says clevis.local.words, with {"pending":true} it never ends before the
 * deadline. Its configuration becomes clevis.local.
 */
#pragma once

#include "tests/unit/lines.h"
#include "token/token.h"

static unsigned local_decrypts; /* calls, to see whether anything was tried */

static inline const json_t *local_config(const json_t *hdr)
{
	return json_object_get(json_object_get(hdr, "clevis"), "local");
}

static inline int local_key(struct buf *ret_cek)
{
	static const uint8_t key[JWE_CEK_SIZE] = "not a secret: all tests know it";

	return buf_copy(ret_cek, (struct ref){key, sizeof(key)});
}

static int local_check(const struct pin *const *all, const json_t *hdr, const struct log *log)
{
	(void)all;
	if (!json_is_object(local_config(hdr)))
		return log_err(log, -EBADMSG, "local: there is no \"local\"");
	return 0;
}

static int local_encrypt(struct cot *cot, const json_t *cfg, json_t *hdr, struct buf *ret_cek)
{
	(void)cot;
	if (json_object_set_new(hdr, "alg", json_string("dir")) != 0 ||
	    json_object_set_new(hdr, "enc", json_string("A256GCM")) != 0 ||
	    json_object_set_new(json_object_get(hdr, "clevis"), "local", json_deep_copy(cfg)) != 0)
		return -ENOMEM;
	return local_key(ret_cek);
}

static int local_decrypt(struct cot *cot, struct job *job, struct buf *ret_cek)
{
	const json_t *config = local_config(job->jwe->hdr);
	int result = (int)json_integer_value(json_object_get(config, "result"));

	local_decrypts++;
	if (json_is_true(json_object_get(config, "pending")) && now_us() < cot->deadline_us)
		return -EINPROGRESS;
	if (json_object_get(config, "pending"))
		return log_err(&job->log, -ETIMEDOUT, "local: it was too late");
	if (result)
		return log_err(&job->log, -result, "local: %s", js_str(config, "words"));
	return local_key(ret_cek);
}

static int local_describe(const struct pin *const *all, const json_t *hdr, json_t *facts)
{
	(void)all;
	(void)hdr;
	return json_object_set_new(facts, "place", json_string("here")) == 0 &&
			       json_object_set_new(facts, "key_names",
						   json_of("[\"one\",\"two\"]")) == 0
		       ? 0
		       : -ENOMEM;
}

static void local_release(struct job *job)
{
	(void)job;
}

static const struct pin pin_local = {
	.name = "local",
	.flags = PIN_LOCAL,
	.check = local_check,
	.encrypt = local_encrypt,
	.decrypt = local_decrypt,
	.describe = local_describe,
	.release = local_release,
};

/* The text of a cotter-local token for one keyslot; `config` is clevis.local's JSON. */
static inline char *local_token_labelled(const char *config, unsigned keyslot, const char *secret,
					 const char *label)
{
	static const struct pin *const table[] = {&pin_local, NULL};
	struct token token = {
		.pin = &pin_local,
		.keyslots = {keyslot},
		.n_keyslots = 1,
		.deadline = TOKEN_DEADLINE_DEFAULT,
	};
	struct cot cot = {.pins = table};
	CLEANUP_JSON json_t *cfg = json_of(config);
	char *text = NULL;

	if (label) {
		token.label = strdup(label);
		assert_non_null(token.label);
	}
	assert_int_equal(pin_seal(&cot, "local", cfg, ref_str(secret), &token.jwe), 0);
	assert_int_equal(token_format(&token, &text), 0);
	token_done(&token);
	return text;
}

static inline char *local_token(const char *config, unsigned keyslot, const char *secret)
{
	return local_token_labelled(config, keyslot, secret, NULL);
}
