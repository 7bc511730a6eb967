/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The authorization values that PINs become. */
#include "tpm/auth.h"

#include "tests/unit/vectors/tpm.h"

static void test_from_pin(void **state)
{
	uint8_t salt[TPM_SALT_SIZE];
	TPM2B_AUTH auth;

	(void)state;
	for (size_t i = 0; i < sizeof(salt); i++)
		salt[i] = (uint8_t)i;
	assert_int_equal(auth_from_pin(ref_str("1234"), salt, &auth), 0);
	assert_hex("1234", auth.buffer, auth.size,
		   "258e55c8c5f27686b3964a664f475b494dcb805be55d9481d7d4516f84c5bbd8");
}

/* TPMs remove them, too. */
static void test_trailing_zero(void **state)
{
	static const uint8_t salt[TPM_SALT_SIZE];
	TPM2B_AUTH auth;

	(void)state;
	assert_int_equal(auth_from_pin(ref_str("87"), salt, &auth), 0);
	assert_hex("87", auth.buffer, auth.size,
		   "23c0b565cd00fd014e7442d312c987b37b16260497249c9f529d4b42158fae");
}

static void test_done(void **state)
{
	static const uint8_t zeros[sizeof(TPM2B_AUTH)];
	TPM2B_AUTH auth;

	(void)state;
	memset(&auth, UNTOUCHED, sizeof(auth));
	auth_done(&auth);
	assert_memory_equal(&auth, zeros, sizeof(auth));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_pin),
		cmocka_unit_test(test_trailing_zero),
		cmocka_unit_test(test_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
