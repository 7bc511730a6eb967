/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Public keys from numbers, points and certificates, and what they encrypt. */
#include "crypto/public.h"

#include "crypto/b64.h"
#include "crypto/ec.h"
#include "tests/unit/vectors/jose.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static const uint8_t p256_oid[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t k256_oid[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a};

static EVP_PKEY *rsa_key; /* of 2048 bits */

static struct buf number_of(EVP_PKEY *pkey, const char *name)
{
	CLEANUP(BN_clear_freep) BIGNUM *bn = NULL;
	struct buf bytes = {0};

	assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &bn), 1);
	assert_int_equal(buf_init(&bytes, 1024), 0);
	bytes.n = (size_t)BN_bn2bin(bn, bytes.p);
	return bytes;
}

static int from_numbers(EVP_PKEY *pkey, struct public_key *ret)
{
	CLEANUP(buf_done) struct buf n = number_of(pkey, OSSL_PKEY_PARAM_RSA_N);
	CLEANUP(buf_done) struct buf e = number_of(pkey, OSSL_PKEY_PARAM_RSA_E);

	return public_from_rsa(buf_ref(&n), buf_ref(&e), ret);
}

/* The other side of each padding, by OpenSSL. */
static void assert_decrypts(enum rsa_padding padding, const struct buf *text, const char *want)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(rsa_key, NULL);
	const EVP_MD *md = padding == RSA_PADDING_OAEP_SHA256 ? EVP_sha256() : EVP_sha1();
	uint8_t out[512];
	size_t n = sizeof(out);

	assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding == RSA_PADDING_PKCS1
								   ? RSA_PKCS1_PADDING
								   : RSA_PKCS1_OAEP_PADDING),
			 1);
	if (padding != RSA_PADDING_PKCS1)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md), 1);
	assert_int_equal(EVP_PKEY_decrypt(ctx, out, &n, text->p, text->n), 1);
	EVP_PKEY_CTX_free(ctx);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(out, want, n);
}

static void test_encrypt(void **state)
{
	CLEANUP(public_key_done) struct public_key key = {0};
	static const size_t room[] = {256 - 11, 256 - 42, 256 - 66};
	uint8_t full[256] = {1};

	(void)state;
	assert_int_equal(from_numbers(rsa_key, &key), 0);
	assert_null(key.ec.curve);
	for (int padding = RSA_PADDING_PKCS1; padding <= RSA_PADDING_OAEP_SHA256; padding++) {
		CLEANUP(buf_done) struct buf text = {0};
		CLEANUP(buf_done) struct buf longest = {0};
		struct ref fits = {full, room[padding]}, much = {full, room[padding] + 1};

		assert_int_equal(
			public_encrypt(&key, (enum rsa_padding)padding, ref_str("a secret"), &text),
			0);
		assert_decrypts((enum rsa_padding)padding, &text, "a secret");
		assert_int_equal(public_encrypt(&key, (enum rsa_padding)padding, much, &longest),
				 -E2BIG);
		assert_int_equal(public_encrypt(&key, (enum rsa_padding)padding, fits, &longest),
				 0);
	}
}

static void test_rsa_refused(void **state)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *small = EVP_RSA_gen(1024);
	CLEANUP(public_key_done) struct public_key key = {0};

	(void)state;
	assert_int_equal(from_numbers(small, &key), -EOPNOTSUPP);
	assert_null(key.pkey);
	assert_int_equal(public_from_rsa((struct ref){0}, (struct ref){0}, &key), -EOPNOTSUPP);
}

/* No key has an even modulus. */
static void test_rsa_encrypts_nothing(void **state)
{
	CLEANUP(public_key_done) struct public_key key = {0};
	CLEANUP(buf_done) struct buf text = {0};
	uint8_t even[PUBLIC_RSA_MIN];

	(void)state;
	memset(even, 0xfe, sizeof(even));
	assert_int_equal(public_from_rsa((struct ref){even, sizeof(even)}, ref_str("\x03"), &key),
			 0);
	assert_int_equal(public_encrypt(&key, RSA_PADDING_OAEP_SHA1, ref_str("x"), &text), -EIO);
	assert_null(text.p);
}

static struct buf point_of(const char *x, const char *y, const char *before, size_t n)
{
	CLEANUP(buf_done) struct buf xs = {0};
	CLEANUP(buf_done) struct buf ys = {0};
	struct buf point = {0};

	assert_int_equal(b64_decode(ref_str(x), &xs), 0);
	assert_int_equal(b64_decode(ref_str(y), &ys), 0);
	assert_int_equal(buf_init(&point, 256), 0);
	assert_int_equal(buf_append(&point, before, n), 0);
	assert_int_equal(buf_append(&point, xs.p, xs.n), 0);
	assert_int_equal(buf_append(&point, ys.p, ys.n), 0);
	return point;
}

/* provokes: public_from_ec -EBADMSG */
static void test_ec(void **state)
{
	const struct ref oid = {p256_oid, sizeof(p256_oid)}, other = {k256_oid, sizeof(k256_oid)};
	static const struct {
		const char *x, *y, *before;
		size_t n;
		int result;
	} cases[] = {
		{A3_X, A3_Y, "\x04", 1, 0},
		{A3_X, A3_Y, "\x04\x41\x04", 3, 0},
		{A3_X, A3_X, "\x04", 1, -EBADMSG},
		{A3_X, A3_Y, "\x03", 1, -EOPNOTSUPP},
		{A3_X, A3_Y, "\x05\x41\x04", 3, -EBADMSG},
		{A3_X, A3_Y, "\x04\x42\x04", 3, -EBADMSG},
		{A3_X, A3_Y, "\x04\x40\x04", 3, -EOPNOTSUPP},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(public_key_done) struct public_key key = {0};
		CLEANUP(buf_done)
		struct buf point = point_of(cases[i].x, cases[i].y, cases[i].before, cases[i].n);
		CLEANUP(buf_done) struct buf text = {0};
		char what[32];

		(void)snprintf(what, sizeof(what), "case %zu", i);
		expect(what, public_from_ec(oid, buf_ref(&point), &key), cases[i].result);
		expect(what, key.ec.curve == (cases[i].result ? NULL : curve_by_name("P-256")), 1);
		expect(what, public_from_ec(other, buf_ref(&point), &key), -EOPNOTSUPP);
		expect(what, public_encrypt(&key, RSA_PADDING_PKCS1, ref_str("x"), &text), -EINVAL);
	}
}

/* A certificate says whose a key is, which is not asked here. */
static struct buf certificate_of(EVP_PKEY *pkey)
{
	X509 *certificate = X509_new();
	struct buf der = {0};
	uint8_t *p;
	int n;

	assert_int_equal(X509_set_pubkey(certificate, pkey), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -7200));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), -3600));
	assert_true(X509_sign(certificate, pkey, EVP_sha256()) > 0);
	n = i2d_X509(certificate, NULL);
	assert_true(n > 0);
	assert_int_equal(buf_init(&der, (size_t)n), 0);
	p = der.p;
	assert_int_equal(i2d_X509(certificate, &p), n);
	der.n = (size_t)n;
	X509_free(certificate);
	return der;
}

static void test_certificate(void **state)
{
	CLEANUP(EVP_PKEY_freep)
	EVP_PKEY *ec = EVP_EC_gen("P-384"), *other = EVP_EC_gen("secp256k1");
	CLEANUP(buf_done) struct buf of_rsa = certificate_of(rsa_key);
	CLEANUP(buf_done) struct buf of_ec = certificate_of(ec);
	CLEANUP(buf_done) struct buf of_other = certificate_of(other);
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(public_key_done) struct public_key rsa = {0};
	CLEANUP(public_key_done) struct public_key agrees = {0};
	CLEANUP(public_key_done) struct public_key none = {0};

	(void)state;
	assert_int_equal(public_from_certificate(buf_ref(&of_rsa), &rsa), 0);
	assert_int_equal(public_encrypt(&rsa, RSA_PADDING_OAEP_SHA1, ref_str("x"), &text), 0);
	assert_decrypts(RSA_PADDING_OAEP_SHA1, &text, "x");
	assert_int_equal(public_from_certificate(buf_ref(&of_ec), &agrees), 0);
	assert_ptr_equal(agrees.ec.curve, curve_by_name("P-384"));
	assert_int_equal(public_from_certificate(buf_ref(&of_other), &none), -EOPNOTSUPP);
	of_rsa.n--;
	assert_int_equal(public_from_certificate(buf_ref(&of_rsa), &none), -EBADMSG);
}

static int make_key(void **state)
{
	(void)state;
	rsa_key = EVP_RSA_gen(2048);
	return rsa_key == NULL;
}

static int free_key(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa_key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encrypt),
		cmocka_unit_test(test_rsa_refused),
		cmocka_unit_test(test_rsa_encrypts_nothing),
		cmocka_unit_test(test_ec),
		cmocka_unit_test(test_certificate),
	};

	return cmocka_run_group_tests(tests, make_key, free_key);
}
