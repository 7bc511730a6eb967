/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making JSON Web Signatures. */
#include "crypto/jws-sign.h"

#include "crypto/b64.h"
#include "crypto/ec.h"

#include <errno.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>

DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free)
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)

enum { DER_MAX = 2 * EC_COORD_MAX + 16 };

void jws_signature_done(struct jws_signature *signature)
{
	buf_done(&signature->protected);
	buf_done(&signature->signature);
}

/* OpenSSL takes numbers in the machine's order of bytes. */
static int native_number(const uint8_t *bytes, size_t size, uint8_t *ret)
{
	CLEANUP(BN_clear_freep) BIGNUM *number = BN_secure_new();

	if (!number || !BN_bin2bn(bytes, (int)size, number) ||
	    BN_bn2nativepad(number, ret, (int)size) < 0)
		return -ENOMEM;
	return 0;
}

static int make_pkey(const struct jwk *key, EVP_PKEY **ret)
{
	CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL;
	uint8_t point[1 + 2 * EC_COORD_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
	uint8_t d[EC_COORD_MAX];
	size_t size = key->curve->size;
	char group[16] = {0};
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group,
				       strlen(key->curve->group)),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_PRIV_KEY, d, size),
		OSSL_PARAM_END,
	};
	int r;

	memcpy(group, key->curve->group, strlen(key->curve->group));
	memcpy(point + 1, key->x, size);
	memcpy(point + 1 + size, key->y, size);

	r = native_number(key->d, size, d);
	if (r == 0) {
		ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
		if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
		    EVP_PKEY_fromdata(ctx, ret, EVP_PKEY_KEYPAIR, params) != 1)
			r = -ENOMEM;
	}
	explicit_bzero(d, sizeof(d));
	return r;
}

/* OpenSSL gives r and s in DER; RFC 7518 section 3.4 has them side by side. */
static int signature_from_der(const uint8_t *der, size_t len, size_t size, uint8_t *ret)
{
	CLEANUP(ECDSA_SIG_freep) ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);

	if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret, (int)size) < 0 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret + size, (int)size) < 0)
		return -ENOMEM;
	return 0;
}

static int sign_bytes(const struct jwk *key, struct ref protected, struct ref payload, uint8_t *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[DER_MAX];
	size_t len = sizeof(der);
	int r;

	r = make_pkey(key, &pkey);
	if (r < 0)
		return r;

	if (!ctx ||
	    EVP_DigestSignInit_ex(ctx, NULL, key->curve->digest, NULL, NULL, pkey, NULL) != 1 ||
	    EVP_DigestSignUpdate(ctx, protected.p, protected.n) != 1 ||
	    EVP_DigestSignUpdate(ctx, ".", 1) != 1 ||
	    EVP_DigestSignUpdate(ctx, payload.p, payload.n) != 1 ||
	    EVP_DigestSignFinal(ctx, der, &len) != 1)
		return -ENOMEM;

	return signature_from_der(der, len, key->curve->size, ret);
}

static int make_header(const char *alg, const char *cty, struct buf *ret)
{
	CLEANUP_JSON json_t *hdr = json_pack("{s:s, s:s}", "alg", alg, "cty", cty);
	CLEANUP(free_text) char *text = NULL;
	int r;

	if (!hdr)
		return -ENOMEM;

	r = js_dump(hdr, &text);
	if (r == 0)
		r = buf_init(ret, b64_encoded_len(strlen(text)));
	return r < 0 ? r : b64_encode(ref_str(text), ret);
}

int jws_sign(struct ref payload, const char *cty, const struct jwk *key, struct jws_signature *ret)
{
	CLEANUP(jws_signature_done) struct jws_signature made = {0};
	uint8_t bytes[2 * EC_COORD_MAX];
	int r;

	if (!key->curve || !key->has_private)
		return -EINVAL;

	r = make_header(key->curve->jws_alg, cty, &made.protected);
	if (r == 0)
		r = sign_bytes(key, buf_ref(&made.protected), payload, bytes);
	if (r == 0)
		r = buf_init(&made.signature, b64_encoded_len(2 * key->curve->size));
	if (r == 0)
		r = b64_encode((struct ref){bytes, 2 * key->curve->size}, &made.signature);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(made);
	return 0;
}

static int append_ref(struct buf *text, struct ref bytes)
{
	return buf_append(text, bytes.p, bytes.n);
}

/* The members that both forms have, without their braces. */
static int write_signature(const struct jws_signature *signature, struct buf *text)
{
	int r;

	r = buf_append_str(text, "\"protected\": \"");
	if (r == 0)
		r = append_ref(text, buf_ref(&signature->protected));
	if (r == 0)
		r = buf_append_str(text, "\", \"signature\": \"");
	if (r == 0)
		r = append_ref(text, buf_ref(&signature->signature));
	return r < 0 ? r : buf_append_str(text, "\"");
}

static int write_signatures(const struct jws_signature *const *signatures, size_t n,
			    struct buf *text)
{
	int r;

	r = buf_append_str(text, "\"signatures\": [");
	for (size_t i = 0; i < n && r == 0; i++) {
		r = buf_append_str(text, i > 0 ? ", {" : "{");
		if (r == 0)
			r = write_signature(signatures[i], text);
		if (r == 0)
			r = buf_append_str(text, "}");
	}
	return r < 0 ? r : buf_append_str(text, "]");
}

int jws_write(struct ref payload, const struct jws_signature *const *signatures, size_t n,
	      struct buf *ret)
{
	enum { AROUND = 64 }; /* more than what is written around a text */
	CLEANUP(buf_done) struct buf text = {0};
	size_t size = payload.n + AROUND;
	int r;

	for (size_t i = 0; i < n; i++)
		size += signatures[i]->protected.n + signatures[i]->signature.n + AROUND;

	r = buf_init(&text, size);
	if (r == 0)
		r = buf_append_str(&text, "{\"payload\": \"");
	if (r == 0)
		r = append_ref(&text, payload);
	if (r == 0)
		r = buf_append_str(&text, "\", ");
	if (r == 0)
		r = n == 1 ? write_signature(signatures[0], &text)
			   : write_signatures(signatures, n, &text);
	if (r == 0)
		r = buf_append_str(&text, "}");
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(text);
	return 0;
}
