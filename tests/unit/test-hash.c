/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digests of parts, and PBKDF2. */
#include "crypto/hash.h"

#include "tests/unit/vectors/tpm.h"

/* FIPS 180-4's example, "abc" */
static void test_digests(void **state)
{
	static const struct {
		const char *name, *want;
		size_t size;
	} algs[] = {
		{"SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d", 20},
		{"SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 32},
		{"SHA384",
		 "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
		 "8086072ba1e7cc2358baeca134c825a7",
		 48},
		{"SHA512",
		 "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		 "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
		 64},
	};
	struct ref parts[] = {ref_str("a"), ref_str(""), {0}, ref_str("bc")};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
		uint8_t digest[HASH_SIZE_MAX];

		memset(digest, UNTOUCHED, sizeof(digest));
		assert_int_equal(hash_digest(algs[i].name, parts, ARRAY_SIZE(parts), digest), 0);
		assert_hex(algs[i].name, digest, algs[i].size, algs[i].want);
		assert_untouched(algs[i].name, digest + algs[i].size,
				 sizeof(digest) - algs[i].size);
	}
}

static void test_unknown(void **state)
{
	struct ref part = ref_str("abc");
	uint8_t digest[HASH_SIZE_MAX];

	(void)state;
	memset(digest, UNTOUCHED, sizeof(digest));
	assert_int_equal(hash_digest("SHA257", &part, 1, digest), -EOPNOTSUPP);
	assert_untouched("SHA257", digest, sizeof(digest));
}

/* RFC 7914 section 11 */
static void test_pbkdf2(void **state)
{
	uint8_t key[64];

	(void)state;
	assert_int_equal(hash_pbkdf2(ref_str("passwd"), ref_str("salt"), 1, key, sizeof(key)), 0);
	assert_hex("1 round", key, sizeof(key),
		   "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
		   "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
	assert_int_equal(hash_pbkdf2(ref_str("Password"), ref_str("NaCl"), 80000, key, sizeof(key)),
			 0);
	assert_hex("80000 rounds", key, sizeof(key),
		   "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
		   "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_pbkdf2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
