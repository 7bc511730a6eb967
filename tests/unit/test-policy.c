/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy digests against those of a TPM, as tpm2-tools had them computed by swtpm. */
#include "tpm/policy.h"

#include "tests/unit/vectors/tpm.h"

#include <openssl/evp.h>

static struct policy begin(const char *hash)
{
	struct policy policy = {.hash = hash_alg_by_name(ref_str(hash))};

	assert_non_null(policy.hash);
	return policy;
}

/* As they are after a start: 0, or -1 for those of the dynamic root of trust. */
static void fill(struct pcr_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		struct pcr *pcr = &set->pcrs[i];

		memset(pcr->value, pcr->index >= 17 && pcr->index <= 22 ? 0xff : 0,
		       sizeof(pcr->value));
		pcr->has_value = true;
	}
}

static void test_pcrs(void **state)
{
	static const struct {
		const char *hash, *pcrs, *want;
	} policies[] = {
		{"sha256", "7:sha256",
		 "8b5682d81b29435d08d79278150611dc7e5923b2fefcce684a09577b40130a8b"},
		{"sha256", "7:sha256+17:sha256+7:sha384",
		 "0832a9b5ea9eed8e7e6f2d9aaf93df5e1e5f297c1017b5a2bd5dda6124cc120d"},
		{"sha1", "0:sha1+23:sha1", "bbad960ff298ac74d9d7027bf3eda7ca0f30759c"},
		{"sha512", "16:sha256",
		 "57fe13f1cdeb789aaabd26c598887c7c86632ca5062d476822dd5ae9882ff64f"
		 "6d51f507dd442b4505eafebe5c59de9a9748305bfad620a51070d583f04ad0f8"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		struct policy policy = begin(policies[i].hash);
		struct pcr_set set;

		assert_int_equal(pcr_parse(policies[i].pcrs, NULL, &set), 0);
		fill(&set);
		assert_int_equal(policy_pcr(&policy, &set), 0);
		assert_hex(policies[i].pcrs, policy.digest, policy.hash->size, policies[i].want);
	}
}

static void test_auth_value(void **state)
{
	struct policy policy = begin("sha256");

	(void)state;
	assert_int_equal(policy_auth_value(&policy), 0);
	assert_hex("PolicyAuthValue", policy.digest, 32,
		   "8fcd2169ab92694e0c633f1ab772842b8241bbc20288981fc7ac1eddc1fddb0e");
}

static void test_authorize(void **state)
{
	CLEANUP(rsa_public_done) struct rsa_public key = {0};
	struct policy policy = begin("sha256");
	TPM2B_NAME name;

	(void)state;
	assert_int_equal(rsa_from_pem(ref_str(RSA_PEM), &key), 0);
	assert_int_equal(policy_key_name(&key, &name), 0);
	assert_hex("Name", name.name, name.size, RSA_NAME);

	/* What was there before does not matter. */
	memset(policy.digest, 0x5a, sizeof(policy.digest));
	assert_int_equal(policy_authorize(&policy, &name), 0);
	assert_hex("PolicyAuthorize", policy.digest, 32,
		   "1bc2ea9e4bd58a95f62261e876d8c83dbafcb8d86304795e8188a2ee3fe97291");
}

static void test_key_public(void **state)
{
	CLEANUP(rsa_public_done) struct rsa_public key = {0};
	TPM2B_PUBLIC pub;

	(void)state;
	assert_int_equal(rsa_from_pem(ref_str(RSA_PEM), &key), 0);
	policy_key_public(&key, &pub);
	assert_int_equal(pub.publicArea.parameters.rsaDetail.exponent, 0);
	assert_int_equal(pub.publicArea.parameters.rsaDetail.keyBits, 2048);
	assert_int_equal(pub.publicArea.unique.rsa.size, 256);
	key.exponent = 3;
	policy_key_public(&key, &pub);
	assert_int_equal(pub.publicArea.parameters.rsaDetail.exponent, 3);
}

/* As where the machine's settings of OpenSSL allow what nothing there can do. */
static void test_no_hash(void **state)
{
	CLEANUP(rsa_public_done) struct rsa_public key = {0};
	const struct pcr_set none = {0};
	struct policy policy = begin("sha256");
	TPM2B_NAME name = {.size = 34};

	(void)state;
	assert_int_equal(rsa_from_pem(ref_str(RSA_PEM), &key), 0);
	assert_int_equal(EVP_set_default_properties(NULL, "provider=none"), 1);
	assert_int_equal(policy_pcr(&policy, &none), -EOPNOTSUPP);
	assert_int_equal(policy_authorize(&policy, &name), -EOPNOTSUPP);
	assert_int_equal(policy_auth_value(&policy), -EOPNOTSUPP);
	assert_int_equal(policy_key_name(&key, &name), -EOPNOTSUPP);
	assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
	assert_int_equal(policy_key_name(&key, &name), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcrs),      cmocka_unit_test(test_auth_value),
		cmocka_unit_test(test_authorize), cmocka_unit_test(test_key_public),
		cmocka_unit_test(test_no_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
