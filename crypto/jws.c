/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON Web Signatures. */
#include "crypto/jws.h"

#include "crypto/b64.h"
#include "crypto/ec.h"

#include <errno.h>

#include <openssl/ecdsa.h>

DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free)
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)

enum { DER_SIG_MAX = 2 * EC_COORD_MAX + 16 };

int jws_payload(const json_t *jws, struct buf *ret)
{
	return js_b64(jws, "payload", ret);
}

/* RFC 7518 section 3.4 has r and s side by side; OpenSSL wants them in DER. */
static int signature_to_der(const struct jwk *key, const struct buf *sig, uint8_t *der)
{
	CLEANUP(ECDSA_SIG_freep) ECDSA_SIG *pair = ECDSA_SIG_new();
	CLEANUP(BN_clear_freep) BIGNUM *r = NULL;
	CLEANUP(BN_clear_freep) BIGNUM *s = NULL;
	int size = (int)key->curve->size, len;

	r = BN_bin2bn(sig->p, size, NULL);
	s = BN_bin2bn(sig->p + size, size, NULL);
	if (!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1)
		return -ENOMEM;
	(void)TAKE_PTR(r);
	(void)TAKE_PTR(s);

	len = i2d_ECDSA_SIG(pair, &der);
	return len < 0 ? -ENOMEM : len;
}

static int verify_bytes(const struct jwk *key, const char *protected, const char *payload,
			const struct buf *sig)
{
	CLEANUP_ERRORS;
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[DER_SIG_MAX];
	int len, r;

	if (sig->n != 2 * key->curve->size)
		return -EKEYREJECTED;

	len = signature_to_der(key, sig, der);
	if (len < 0)
		return len;
	r = ec_pkey(key, false, &pkey);
	if (r < 0)
		return r;

	if (!ctx ||
	    EVP_DigestVerifyInit_ex(ctx, NULL, key->curve->digest, NULL, NULL, pkey, NULL) != 1 ||
	    EVP_DigestVerifyUpdate(ctx, protected, strlen(protected)) != 1 ||
	    EVP_DigestVerifyUpdate(ctx, ".", 1) != 1 ||
	    EVP_DigestVerifyUpdate(ctx, payload, strlen(payload)) != 1)
		return -ENOMEM;

	return EVP_DigestVerifyFinal(ctx, der, (size_t)len) == 1 ? 0 : -EKEYREJECTED;
}

/* One signature object of the general form, or the flattened JWS itself. */
static int verify_one(const json_t *signature, const char *payload, const struct jwk *key)
{
	const char *protected = js_str(signature, "protected");
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(buf_done) struct buf sig = {0};
	CLEANUP_JSON json_t *hdr = NULL;
	const char *alg;
	int r;

	if (!protected)
		return -EKEYREJECTED;

	r = b64_decode(ref_str(protected), &text);
	if (r == 0)
		r = js_load(buf_ref(&text), &hdr);
	if (r == 0)
		r = js_b64(signature, "signature", &sig);
	if (r < 0)
		return r;

	/* RFC 7515 section 4.1.11, RFC 7797: extensions that change what is signed. */
	if (json_object_get(hdr, "crit") || json_object_get(hdr, "b64") ||
	    json_object_get(json_object_get(signature, "header"), "crit"))
		return -EKEYREJECTED;
	alg = js_str(hdr, "alg");
	if (!alg || strcmp(alg, key->curve->jws_alg) != 0)
		return -EKEYREJECTED;

	return verify_bytes(key, protected, payload, &sig);
}

int jws_verify(const json_t *jws, const struct jwk *key)
{
	const json_t *signatures = json_object_get(jws, "signatures"), *one;
	const char *payload = js_str(jws, "payload");
	size_t i;

	if (!payload || !key->curve)
		return -EBADMSG;
	if (!signatures)
		return verify_one(jws, payload, key);
	if (!json_is_array(signatures) || json_object_get(jws, "signature"))
		return -EBADMSG;
	if (json_array_size(signatures) > JWS_SIGNATURES_MAX)
		return -E2BIG;

	json_array_foreach(signatures, i, one) {
		int r = verify_one(one, payload, key);

		if (r != -EKEYREJECTED)
			return r;
	}
	return -EKEYREJECTED;
}
