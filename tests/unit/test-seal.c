/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sealing, as far as it needs no TPM: the policy's digest, and a secret that does not fit. */
#include "tpm/seal.h"

#include "tests/unit/vectors/tpm.h"

#include <openssl/evp.h>

static struct sealed *read_header(const char *text)
{
	CLEANUP_JSON json_t *hdr = json_of(text);
	struct sealed *sealed = NULL;

	assert_int_equal(sealed_read(hdr, NULL, &sealed), 0);
	return sealed;
}

/* A TPM gave the object this policy, of PCRs in two banks, a PIN and a signed policy. */
static void test_digest(void **state)
{
	CLEANUP(sealed_freep) struct sealed *sealed = read_header(FULL_HEADER);
	const TPM2B_DIGEST *want = &sealed->pub.publicArea.authPolicy;
	TPM2B_DIGEST digest = {0}, other = {0};

	(void)state;
	assert_int_equal(seal_digest(sealed, &digest), 0);
	assert_int_equal(digest.size, want->size);
	assert_memory_equal(digest.buffer, want->buffer, want->size);

	sealed->has_pin = false;
	assert_int_equal(seal_digest(sealed, &other), 0);
	assert_memory_not_equal(other.buffer, want->buffer, want->size);
	sealed->pcrs.n = 0;
	rsa_public_done(&sealed->pubkey);
	assert_int_equal(seal_digest(sealed, &digest), 0);
	assert_int_equal(digest.size, 0);
}

/* As where the machine's settings of OpenSSL allow what nothing there can do. */
static void test_no_hash(void **state)
{
	CLEANUP(sealed_freep) struct sealed *sealed = read_header(FULL_HEADER);
	TPM2B_DIGEST digest = {0};

	(void)state;
	assert_int_equal(EVP_set_default_properties(NULL, "provider=none"), 1);
	assert_int_equal(seal_digest(sealed, &digest), -EOPNOTSUPP);
	assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
	assert_int_equal(digest.size, 0);
	assert_int_equal(seal_digest(sealed, &digest), 0);
}

/* Before the TPM is asked. */
static void test_secret_too_long(void **state)
{
	CLEANUP(sealed_freep) struct sealed *sealed = read_header(FULL_HEADER);
	static const uint8_t secret[sizeof(((TPM2B_SENSITIVE_DATA *)NULL)->buffer) + 1];
	struct tss none = {0};

	(void)state;
	assert_int_equal(seal(&none, sealed, ref_str("1234"), (struct ref){secret, sizeof(secret)}),
			 -E2BIG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_no_hash),
		cmocka_unit_test(test_secret_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
