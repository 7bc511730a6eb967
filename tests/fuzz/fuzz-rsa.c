/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RSA public keys, as PEM and as DER. */
#include "crypto/rsa.h"

#include "tests/fuzz/fuzz.h"

static void check(int r, struct rsa_public *key)
{
	CLEANUP(rsa_public_done) struct rsa_public again = {0};
	CLEANUP(rsa_public_done) struct rsa_public from_der = {0};
	CLEANUP(buf_done) struct buf pem = {0};

	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(*key));
		return;
	}
	CHECK(key->modulus_len >= RSA_MODULUS_MIN && key->modulus_len <= RSA_MODULUS_MAX);
	CHECK(rsa_to_pem(key, &pem) == 0 && rsa_from_pem(buf_ref(&pem), &again) == 0);
	CHECK(rsa_from_der(buf_ref(&key->der), &from_der) == 0);
	CHECK(ref_equal(buf_ref(&key->der), buf_ref(&again.der)));
	CHECK(ref_equal(buf_ref(&key->der), buf_ref(&from_der.der)));
	CHECK(memcmp(key->fingerprint, again.fingerprint, sizeof(again.fingerprint)) == 0);
	CHECK(memcmp(key->modulus, again.modulus, sizeof(again.modulus)) == 0);
	CHECK(key->exponent == again.exponent);
	rsa_public_done(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rsa_public key;

	FUZZ_MARK(key);
	check(rsa_from_pem((struct ref){data, n}, &key), &key);
	FUZZ_MARK(key);
	check(rsa_from_der((struct ref){data, n}, &key), &key);
	return 0;
}
