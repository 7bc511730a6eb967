/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a Tang server does, in memory: writes keys, signs advertisements, exchanges. */
#pragma once

#include "crypto/b64.h"
#include "crypto/ec.h"
#include "crypto/ecmr.h"
#include "tests/unit/vectors/jose.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>

enum { SIGNATURE_DER_MAX = 2 * EC_COORD_MAX + 16 };

/* A public key as servers write it; alg and key_ops (JSON text) are left out where NULL. */
static inline json_t *written_key(const struct jwk *key, const char *alg, const char *key_ops)
{
	json_t *json = jwk_to_json(key);

	assert_non_null(json);
	if (alg)
		assert_int_equal(json_object_set_new(json, "alg", json_string(alg)), 0);
	if (key_ops)
		assert_int_equal(json_object_set_new(json, "key_ops", json_of(key_ops)), 0);
	return json;
}

static inline EVP_PKEY *private_pkey(const struct jwk *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	BIGNUM *d = BN_bin2bn(key->d, (int)key->curve->size, NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params;
	EVP_PKEY *pkey = NULL;

	assert_int_equal(OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME,
							 key->curve->group, 0),
			 1);
	assert_int_equal(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, d), 1);
	params = OSSL_PARAM_BLD_to_param(builder);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params), 1);

	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	BN_clear_free(d);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* The JWS signature of `text` (RFC 7518 section 3.4), as a JSON string. */
static inline json_t *signature_of(const char *text, const struct jwk *key)
{
	uint8_t der[SIGNATURE_DER_MAX], pair[2 * EC_COORD_MAX];
	const uint8_t *at = der;
	size_t size = key->curve->size, len = sizeof(der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *pkey = private_pkey(key);
	ECDSA_SIG *sig;

	assert_int_equal(
		EVP_DigestSignInit_ex(ctx, NULL, key->curve->digest, NULL, NULL, pkey, NULL), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &len, (const uint8_t *)text, strlen(text)), 1);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), pair, (int)size), size);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), pair + size, (int)size), size);

	ECDSA_SIG_free(sig);
	EVP_PKEY_free(pkey);
	EVP_MD_CTX_free(ctx);
	return js_from_b64((struct ref){pair, 2 * size});
}

/* {"protected":…,"signature":…} of a payload in base64url, with this protected header. */
static inline json_t *signature_with(const char *payload, const char *header, const struct jwk *key)
{
	json_t *protected = js_from_b64(ref_str(header));
	char *text = NULL;
	json_t *signature;

	assert_true(asprintf(&text, "%s.%s", json_string_value(protected), payload) > 0);
	signature = json_pack("{s:o, s:o}", "protected", protected, "signature",
			      signature_of(text, key));
	free(text);
	return signature;
}

static inline json_t *signature_by(const char *payload, const struct jwk *key)
{
	char header[64];

	(void)snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"cty\":\"jwk-set+json\"}",
		       key->curve->jws_alg);
	return signature_with(payload, header, key);
}

/* {"payload":…} of a value; the caller adds signatures. */
static inline json_t *unsigned_jws(const json_t *value)
{
	char *text = NULL;
	json_t *jws;

	assert_int_equal(js_dump(value, &text), 0);
	jws = json_pack("{s:o}", "payload", js_from_b64(ref_str(text)));
	free(text);
	return jws;
}

/* An advertisement as tangd writes it: flattened where one key signs, else in the general form. */
static inline json_t *signed_jws(const json_t *jwks, const struct jwk *const *signers, size_t n)
{
	json_t *jws = unsigned_jws(jwks), *signatures = json_array();
	const char *payload = js_str(jws, "payload");

	for (size_t i = 0; i < n; i++)
		assert_int_equal(
			json_array_append_new(signatures, signature_by(payload, signers[i])), 0);
	if (n == 1)
		assert_int_equal(json_object_update(jws, json_array_get(signatures, 0)), 0);
	else
		assert_int_equal(json_object_set(jws, "signatures", signatures), 0);
	json_decref(signatures);
	return jws;
}

/* The usual advertisement: one signing key and one exchange key. */
static inline json_t *usual_adv(const struct jwk *sign, const struct jwk *exchange)
{
	json_t *jwks =
		json_pack("{s:[o, o]}", "keys", written_key(exchange, "ECMR", "[\"deriveKey\"]"),
			  written_key(sign, sign->curve->jws_alg, "[\"verify\"]"));
	json_t *jws = signed_jws(jwks, &sign, 1);

	json_decref(jwks);
	return jws;
}

/* An honest answer to POST /rec: the point, times the exchange key. */
static inline json_t *exchanged(struct ref body, const struct jwk *exchange)
{
	struct jwk point = {0}, product = {0};
	json_t *json = NULL, *answer;

	assert_int_equal(js_load(body, &json), 0);
	assert_int_equal(jwk_from_json(json, &point), 0);
	json_decref(json);
	assert_int_equal(ecmr_mul(&point, exchange, &product), 0);
	answer = written_key(&product, "ECMR", "[\"deriveKey\"]");
	return answer;
}
