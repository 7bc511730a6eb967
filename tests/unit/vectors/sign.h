/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the signatures that the tests of verification need, with OpenSSL alone. */
#pragma once

#include "crypto/b64.h"
#include "crypto/ec.h"

#include "tests/unit/vectors/jose.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

/* The key's private part as OpenSSL's. */
static inline EVP_PKEY *sign_pkey(const struct jwk *key)
{
	uint8_t point[1 + 2 * EC_COORD_MAX] = {4};
	size_t size = key->curve->size;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	BIGNUM *d = BN_bin2bn(key->d, (int)size, NULL);
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params;

	memcpy(point + 1, key->x, size);
	memcpy(point + 1 + size, key->y, size);
	assert_int_equal(OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
							 key->curve->group, 0),
			 1);
	assert_int_equal(OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
							  1 + 2 * size),
			 1);
	assert_int_equal(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d), 1);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params), 1);

	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_clear_free(d);
	return pkey;
}

/* The signature in DER, as OpenSSL makes it. */
static inline void sign_der(const struct jwk *key, const char *text, struct buf *ret)
{
	EVP_PKEY *pkey = sign_pkey(key);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = 0;

	assert_int_equal(
		EVP_DigestSignInit_ex(ctx, NULL, key->curve->digest, NULL, NULL, pkey, NULL), 1);
	assert_int_equal(EVP_DigestSign(ctx, NULL, &len, (const uint8_t *)text, strlen(text)), 1);
	assert_int_equal(buf_init(ret, len), 0);
	assert_int_equal(EVP_DigestSign(ctx, ret->p, &len, (const uint8_t *)text, strlen(text)), 1);
	ret->n = len;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
}

/* The same as JWS wants it: r and s side by side. */
static inline void sign_raw(const struct jwk *key, const char *text, struct buf *ret)
{
	CLEANUP(buf_done) struct buf der = {0};
	int size = (int)key->curve->size;
	const uint8_t *p;
	ECDSA_SIG *sig;

	sign_der(key, text, &der);
	p = der.p;
	sig = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
	assert_non_null(sig);
	assert_int_equal(buf_init(ret, (size_t)size * 2), 0);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret->p, size), size);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret->p + size, size), size);
	ret->n = (size_t)size * 2;
	ECDSA_SIG_free(sig);
}

/* A signature object over `payload`, which is base64url already, with this protected header. */
static inline json_t *sign(const struct jwk *key, const char *header, const char *payload)
{
	CLEANUP_JSON json_t *protected = js_from_b64(ref_str(header));
	CLEANUP(buf_done) struct buf sig = {0};
	char text[4096];

	assert_true(snprintf(text, sizeof(text), "%s.%s", json_string_value(protected), payload) <
		    (int)sizeof(text));
	sign_raw(key, text, &sig);
	return json_pack("{s:O, s:o}", "protected", protected, "signature",
			 js_from_b64(buf_ref(&sig)));
}

/* The same as a flattened JWS. */
static inline json_t *sign_flattened(const struct jwk *key, const char *header, const char *payload)
{
	json_t *jws = sign(key, header, payload);

	assert_int_equal(json_object_set_new(jws, "payload", json_string(payload)), 0);
	return jws;
}
