/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making JSON Web Signatures. */
#include "crypto/jws-sign.h"

#include "crypto/b64.h"
#include "crypto/ec.h"

#include <errno.h>

#include <openssl/ecdsa.h>

DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free)
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)

enum { DER_MAX = 2 * EC_COORD_MAX + 16 };

void jws_signature_done(struct jws_signature *signature)
{
	buf_done(&signature->protected);
	buf_done(&signature->signature);
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

	r = ec_pkey(key, true, &pkey);
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
