/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads RSA public keys by OpenSSL. */
#include "crypto/rsa.h"

#include "crypto/ec.h"
#include "crypto/hash.h"

#include <errno.h>

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

DEFINE_CLEANUP(BIO *, BIO_free)

void rsa_public_done(struct rsa_public *key)
{
	buf_done(&key->der);
	*key = (struct rsa_public){0};
}

/* What one of OpenSSL's writers of DER makes of a key, in a new buffer. */
static int write_der(int (*write)(const EVP_PKEY *pkey, uint8_t **to), const EVP_PKEY *pkey,
		     struct buf *ret)
{
	CLEANUP(buf_done) struct buf der = {0};
	int len = write(pkey, NULL), r;
	uint8_t *p;

	if (len <= 0)
		return -ENOMEM;
	r = buf_init(&der, (size_t)len);
	if (r < 0)
		return r;

	p = der.p;
	if (write(pkey, &p) != len)
		return -ENOMEM;
	der.n = (size_t)len;
	*ret = TAKE_STRUCT(der);
	return 0;
}

static int fingerprint(const EVP_PKEY *pkey, uint8_t ret[RSA_FINGERPRINT_SIZE])
{
	CLEANUP(buf_done) struct buf der = {0};
	uint8_t digest[HASH_SIZE_MAX];
	struct ref text;
	int r;

	r = write_der(i2d_PublicKey, pkey, &der);
	if (r < 0)
		return r;
	text = buf_ref(&der);
	r = hash_digest("SHA256", &text, 1, digest);
	if (r < 0)
		return r;
	memcpy(ret, digest, RSA_FINGERPRINT_SIZE);
	return 0;
}

static int read_key(const EVP_PKEY *pkey, struct rsa_public *ret)
{
	CLEANUP(BN_clear_freep) BIGNUM *n = NULL;
	CLEANUP(BN_clear_freep) BIGNUM *e = NULL;
	CLEANUP(rsa_public_done) struct rsa_public key = {0};
	int r;

	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA)
		return -EOPNOTSUPP;
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return -ENOMEM;

	key.modulus_len = (size_t)BN_num_bytes(n);
	if (key.modulus_len < RSA_MODULUS_MIN || key.modulus_len > RSA_MODULUS_MAX ||
	    BN_num_bits(n) % 1024 != 0 || BN_num_bits(e) > 32)
		return -EOPNOTSUPP;
	key.exponent = (uint32_t)BN_get_word(e);
	(void)BN_bn2bin(n, key.modulus);

	r = write_der(i2d_PUBKEY, pkey, &key.der);
	if (r == 0)
		r = fingerprint(pkey, key.fingerprint);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(key);
	return 0;
}

int rsa_from_pem(struct ref text, struct rsa_public *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(BIO_freep) BIO *bio = NULL;
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;

	if (text.n > RSA_TEXT_MAX)
		return -E2BIG;
	bio = BIO_new_mem_buf(text.p, (int)text.n);
	if (!bio)
		return -ENOMEM;
	/* The empty password: without one, OpenSSL asks at the terminal where the text is encrypted. */
	pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, (void *)(uintptr_t) "");
	return pkey ? read_key(pkey, ret) : -EBADMSG;
}

int rsa_from_der(struct ref der, struct rsa_public *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;
	const uint8_t *p = der.p;

	if (der.n > RSA_TEXT_MAX)
		return -E2BIG;
	pkey = d2i_PUBKEY(NULL, &p, (long)der.n);
	if (!pkey || p != der.p + der.n)
		return -EBADMSG;
	return read_key(pkey, ret);
}

int rsa_to_pem(const struct rsa_public *key, struct buf *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(BIO_freep) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	if (!bio || PEM_write_bio(bio, PEM_STRING_PUBLIC, "", key->der.p, (long)key->der.n) <= 0)
		return -ENOMEM;
	n = BIO_get_mem_data(bio, &text);
	return n > 0 ? buf_copy(ret, (struct ref){(const uint8_t *)text, (size_t)n}) : -ENOMEM;
}
