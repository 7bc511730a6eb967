/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RSA public keys: both forms, and what is none. */
#include "crypto/rsa.h"

#include "tests/unit/vectors/tpm.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

static void test_forms(void **state)
{
	CLEANUP(rsa_public_done) struct rsa_public pem = {0};
	CLEANUP(rsa_public_done) struct rsa_public der = {0};
	CLEANUP(buf_done) struct buf text = {0};

	(void)state;
	assert_int_equal(rsa_from_pem(ref_str(RSA_PEM), &pem), 0);
	assert_int_equal(pem.modulus_len, 256);
	assert_int_equal(pem.exponent, 65537);
	assert_hex("modulus", pem.modulus, 8, "b1ad6853a26f67c3");
	assert_hex("fingerprint", pem.fingerprint, sizeof(pem.fingerprint), RSA_FINGERPRINT);

	assert_int_equal(rsa_from_der(buf_ref(&pem.der), &der), 0);
	assert_memory_equal(der.modulus, pem.modulus, sizeof(der.modulus));
	assert_memory_equal(der.fingerprint, pem.fingerprint, sizeof(der.fingerprint));
	assert_true(ref_equal(buf_ref(&der.der), buf_ref(&pem.der)));
	assert_int_equal(rsa_to_pem(&der, &text), 0);
	assert_true(ref_is(buf_ref(&text), RSA_PEM));
}

static void expect_der(const char *what, struct ref der, int want)
{
	struct rsa_public key;

	memset(&key, UNTOUCHED, sizeof(key));
	expect(what, rsa_from_der(der, &key), want);
	assert_untouched(what, &key, sizeof(key));
}

static void test_malformed(void **state)
{
	/* provokes: rsa_from_der -EBADMSG -E2BIG */
	CLEANUP(rsa_public_done) struct rsa_public key = {0};
	CLEANUP(buf_done) struct buf longer = {0};
	CLEANUP(buf_done) struct buf large = {0};

	(void)state;
	assert_int_equal(rsa_from_pem(ref_str(RSA_PEM), &key), 0);
	for (size_t n = 0; n < key.der.n; n++)
		expect_der("truncated", (struct ref){key.der.p, n}, -EBADMSG);

	assert_int_equal(buf_init(&longer, key.der.n + 1), 0);
	assert_int_equal(buf_append(&longer, key.der.p, key.der.n), 0);
	assert_int_equal(buf_append(&longer, "", 1), 0);
	expect_der("a byte more", buf_ref(&longer), -EBADMSG);

	assert_int_equal(buf_init(&large, RSA_TEXT_MAX + 1), 0);
	memset(large.p, 0, large.cap);
	large.n = large.cap;
	expect_der("too long", buf_ref(&large), -E2BIG);
	memset(&key.modulus, 0, sizeof(key.modulus));
	expect("too long PEM", rsa_from_pem(buf_ref(&large), &key), -E2BIG);
	expect("no PEM", rsa_from_pem(ref_str("nothing"), &key), -EBADMSG);
	expect("a private key", rsa_from_pem(ref_str("-----BEGIN PRIVATE KEY-----\n"), &key),
	       -EBADMSG);
	/* Must not ask for a password at the terminal. */
	expect("an encrypted key",
	       rsa_from_pem(ref_str("-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\n"
				    "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
				    "AAAAAAAAAAAAAAAAAAAAAA==\n-----END PUBLIC KEY-----\n"),
			    &key),
	       -EBADMSG);
}

/* A fresh public key is refused in both forms. */
static void refuse(const char *what, EVP_PKEY *pkey)
{
	CLEANUP(rsa_public_done) struct rsa_public key = {0};
	BIO *bio = BIO_new(BIO_s_mem());
	uint8_t der[1024], *end = der;
	char *pem;
	long n;

	assert_non_null(pkey);
	assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
	n = BIO_get_mem_data(bio, &pem);
	assert_true(n > 0 && i2d_PUBKEY(pkey, NULL) <= (int)sizeof(der));
	assert_true(i2d_PUBKEY(pkey, &end) > 0);
	expect(what, rsa_from_pem((struct ref){(const uint8_t *)pem, (size_t)n}, &key),
	       -EOPNOTSUPP);
	expect(what, rsa_from_der((struct ref){der, (size_t)(end - der)}, &key), -EOPNOTSUPP);
	assert_null(key.der.p);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static void test_other_keys(void **state)
{
	(void)state;
	refuse("EC", EVP_EC_gen("P-256"));
	refuse("RSA 1024", EVP_RSA_gen(1024));
	refuse("RSA 2304", EVP_RSA_gen(2304));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_other_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
