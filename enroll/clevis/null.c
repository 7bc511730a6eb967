/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The null pin. */
#include "enroll/clevis/null.h"

#include <errno.h>

static const json_t *jwk_of(const json_t *hdr)
{
	return json_object_get(json_object_get(json_object_get(hdr, "clevis"), "null"), "jwk");
}

static int null_check(const struct pin *const *pins, const json_t *hdr, const struct log *log)
{
	const char *alg = js_str(hdr, "alg");

	(void)pins;
	if (!alg || strcmp(alg, "dir") != 0)
		return log_err(log, -EBADMSG, "null: the header's \"alg\" is not dir");
	return 0;
}

/* The key is public by intent, so it may be JSON. */
static int set_header(json_t *hdr, struct ref key, bool fail)
{
	json_t *null = fail ? json_object()
			    : json_pack("{s:{s:s, s:s, s:o}}", "jwk", "kty", "oct", "alg",
					"A256GCM", "k", js_from_b64(key));

	if (json_object_set_new(json_object_get(hdr, "clevis"), "null", null) != 0 ||
	    json_object_set_new(hdr, "alg", json_string("dir")) != 0 ||
	    json_object_set_new(hdr, "enc", json_string("A256GCM")) != 0)
		return -ENOMEM;
	return 0;
}

static int null_encrypt(struct cot *cot, const json_t *cfg, json_t *hdr, struct buf *ret_cek)
{
	CLEANUP(buf_done) struct buf key = {0};
	int r;

	(void)cot;
	r = buf_random(&key, JWE_CEK_SIZE);
	if (r == 0)
		r = set_header(hdr, buf_ref(&key), json_is_true(json_object_get(cfg, "fail")));
	if (r < 0)
		return r;

	*ret_cek = TAKE_STRUCT(key);
	return 0;
}

static int null_decrypt(struct cot *cot, struct job *job, struct buf *ret_cek)
{
	const json_t *jwk = jwk_of(job->jwe->hdr);
	int r;

	(void)cot;
	r = js_b64(jwk, "k", ret_cek);
	if (r < 0)
		return log_err(&job->log, r, "null: the header holds no key");
	return 0;
}

static int null_describe(const struct pin *const *pins, const json_t *hdr, json_t *facts)
{
	(void)pins;
	(void)hdr;
	(void)facts;
	return 0;
}

static void null_release(struct job *job)
{
	(void)job;
}

const struct pin pin_null = {
	.name = "null",
	.flags = PIN_LOCAL,
	.check = null_check,
	.encrypt = null_encrypt,
	.decrypt = null_decrypt,
	.describe = null_describe,
	.release = null_release,
};
