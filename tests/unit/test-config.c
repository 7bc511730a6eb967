/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration of a new tpm2 binding. */
#include "tpm/config.h"

#include "tests/unit/vectors/tpm.h"

static void read_ok(const char *text, struct config *ret, json_t **keep)
{
	struct lines lines;

	*keep = json_of(text);
	expect(text, config_read(*keep, lines_begin(&lines), ret), 0);
	assert_told(text, &lines, NULL);
}

static void test_default(void **state)
{
	CLEANUP(config_done) struct config c = {0};
	CLEANUP_JSON json_t *cfg = NULL;

	(void)state;
	read_ok("{}", &c, &cfg);
	assert_null(c.tcti);
	assert_int_equal(c.sealed->parent, 0);
	assert_string_equal(c.sealed->hash->name, "sha256");
	assert_string_equal(c.sealed->key->name, "ecc");
	assert_string_equal(c.sealed->object_hash->name, "sha256");
	assert_false(sealed_has_policy(c.sealed));
}

static void test_clevis(void **state)
{
	CLEANUP(config_done) struct config c = {0};
	CLEANUP_JSON json_t *cfg = NULL;
	char text[PCR_TEXT_MAX];

	(void)state;
	read_ok("{\"hash\":\"sha512\",\"key\":\"rsa\",\"pcr_ids\":[\"7\",\"1\"]}", &c, &cfg);
	assert_string_equal(c.sealed->object_hash->name, "sha512");
	assert_int_equal(c.sealed->key->type, TPM2_ALG_RSA);
	pcr_format(&c.sealed->pcrs, text);
	assert_string_equal(text, "sha1:1,7"); /* Clevis's default bank */
}

static void test_clevis_digest(void **state)
{
	static const char text[] =
		"{\"pcr_bank\":\"sha256\",\"pcr_ids\":\"7,1\",\"pcr_digest\":"
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAREREREREREREREREREREREREREREREREREREREREREQ\"}";
	CLEANUP(config_done) struct config c = {0};
	CLEANUP_JSON json_t *cfg = NULL;

	(void)state;
	read_ok(text, &c, &cfg);
	assert_int_equal(c.sealed->pcrs.n, 2);
	assert_true(c.sealed->pcrs.pcrs[0].has_value);
	assert_hex("PCR 1", c.sealed->pcrs.pcrs[0].value, 4, "00000000");
	assert_hex("PCR 7", c.sealed->pcrs.pcrs[1].value, 4, "11111111");
}

static void test_pcrs(void **state)
{
	static const struct {
		const char *text, *want; /* with sha512 where none is said */
	} pcrs[] = {
		{"{\"pcrs\":\"7+11:sha384\"}", "sha384:11+sha512:7"},
		{"{\"pcrs\":\"7+11:sha384\",\"pcr_bank\":\"sha1\"}", "sha1:7+sha384:11"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pcrs); i++) {
		CLEANUP(config_done) struct config c = {0};
		CLEANUP_JSON json_t *cfg = NULL;
		char text[PCR_TEXT_MAX];

		read_ok(pcrs[i].text, &c, &cfg);
		pcr_set_bank(&c.sealed->pcrs, hash_alg_by_name(ref_str("sha512")));
		pcr_format(&c.sealed->pcrs, text);
		assert_string_equal(text, pcrs[i].want);
	}
}

static void test_pin(void **state)
{
	CLEANUP(config_done) struct config one = {0};
	CLEANUP(config_done) struct config other = {0};
	CLEANUP(config_done) struct config none = {0};
	CLEANUP_JSON json_t *cfg = NULL, *same = NULL, *off = NULL;

	(void)state;
	read_ok("{\"pin\":true,\"tcti\":\"x\"}", &one, &cfg);
	read_ok("{\"pin\":true}", &other, &same);
	assert_true(one.sealed->has_pin);
	assert_true(one.sealed->parent == TPM_SRK);
	assert_string_equal(one.tcti, "x");
	assert_memory_not_equal(one.sealed->salt, other.sealed->salt, TPM_SALT_SIZE);
	read_ok("{\"pin\":false}", &none, &off);
	assert_int_equal(none.sealed->parent, 0);
}

static void test_signed(void **state)
{
	CLEANUP(config_done) struct config c = {0};
	CLEANUP_JSON json_t *cfg = json_pack("{s:s, s:s, s:s}", "pubkey", RSA_PEM, "pubkey_pcrs",
					     "12+11", "signature", "/x.json");
	char text[PCR_TEXT_MAX];

	(void)state;
	assert_int_equal(config_read(cfg, NULL, &c), 0);
	assert_true(c.sealed->parent == TPM_SRK);
	pcr_format(&c.sealed->pubkey_pcrs, text);
	assert_string_equal(text, "sha256:11,12");
	assert_string_equal(c.sealed->signature, "/x.json");
	config_done(&c);

	assert_int_equal(json_object_del(cfg, "pubkey_pcrs"), 0);
	assert_int_equal(config_read(cfg, NULL, &c), 0);
	pcr_format(&c.sealed->pubkey_pcrs, text);
	assert_string_equal(text, "sha256:11");
}

static void test_parent(void **state)
{
	CLEANUP(config_done) struct config c = {0};
	CLEANUP_JSON json_t *cfg = NULL;

	(void)state;
	read_ok("{\"parent\":\"0x81000100\"}", &c, &cfg);
	assert_true(c.sealed->parent == 0x81000100);
	assert_string_equal(c.sealed->object_hash->name, "sha256");
}

static void test_faults(void **state)
{
	static const struct {
		const char *text, *told;
	} faults[] = {
		{"{\"pcr\":\"7\"}", "an unknown member \"pcr\""},
		{"{\"hash\":1}", "\"hash\" is not a string"},
		{"{\"hash\":\"md5\"}", "the hash \"md5\""},
		{"{\"key\":\"dsa\"}", "the key type \"dsa\""},
		{"{\"pcr_bank\":\"md5\"}", "\"md5\" is not a PCR bank"},
		{"{\"pcr_ids\":\"24\"}", "\"pcr_ids\""},
		{"{\"pcr_ids\":\"\"}", "\"pcr_ids\""},
		{"{\"pcr_ids\":\"7\",\"pcrs\":\"7\"}", "exclude each other"},
		{"{\"pcrs\":\"7\",\"pcr_digest\":\"AA\"}", "exclude each other"},
		{"{\"pcr_digest\":\"AA\"}", "\"pcr_digest\" wants \"pcr_ids\""},
		{"{\"pcr_ids\":\"7\",\"pcr_digest\":\"AA\"}", "\"pcr_digest\" does not hold"},
		{"{\"pcr_ids\":\"7\",\"pcr_digest\":\"+\"}", "\"pcr_digest\" does not hold"},
		{"{\"pcrs\":\"\"}", "is not a PCR"},
		{"{\"pcrs\":7}", "\"pcrs\" is not a string"},
		{"{\"pin\":\"1234\"}", "\"pin\" is neither true nor false"},
		{"{\"pin\":true,\"key\":\"rsa\"}", "\"hash\" and \"key\""},
		{"{\"parent\":\"0x81000001\",\"hash\":\"sha1\"}", "\"hash\" and \"key\""},
		{"{\"parent\":\"0x01000001\"}", "0x81000000 to 0x81ffffff"},
		{"{\"parent\":true}", "0x81000000 to 0x81ffffff"},
		{"{\"pubkey\":\"x\"}", "the policy key is not an RSA public key"},
		{"{\"pubkey\":1}", "\"pubkey\" is not a string"},
		{"{\"pubkey_pcrs\":\"11\"}", "want \"pubkey\""},
		{"{\"signature\":\"/x\"}", "want \"pubkey\""},
		{"{\"tcti\":1}", "\"tcti\" is not a string"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		CLEANUP_JSON json_t *cfg = json_of(faults[i].text);
		struct config c = {.tcti = "untouched"};
		struct lines lines;

		expect(faults[i].text, config_read(cfg, lines_begin(&lines), &c), -EINVAL);
		assert_told(faults[i].text, &lines, faults[i].told);
		assert_string_equal(c.tcti, "untouched");
		assert_null(c.sealed);
	}
}

static void test_signed_faults(void **state)
{
	static const struct {
		const char *name, *value, *told;
	} faults[] = {
		{"pubkey_pcrs", "24", "is not a PCR"},
		{"pubkey_pcrs", "11:sha1+12:sha256", "must be in one bank"},
		{"pubkey_pcrs", "11=1111111111111111111111111111111111111111", "have no values"},
		{"signature", "x.json", "absolute path"},
		{"key", "rsa", "\"hash\" and \"key\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		CLEANUP_JSON json_t *cfg =
			json_pack("{s:s, s:s}", "pubkey", RSA_PEM, faults[i].name, faults[i].value);
		struct config c = {0};
		struct lines lines;

		expect(faults[i].value, config_read(cfg, lines_begin(&lines), &c), -EINVAL);
		assert_told(faults[i].value, &lines, faults[i].told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),       cmocka_unit_test(test_clevis),
		cmocka_unit_test(test_clevis_digest), cmocka_unit_test(test_pcrs),
		cmocka_unit_test(test_pin),           cmocka_unit_test(test_signed),
		cmocka_unit_test(test_parent),        cmocka_unit_test(test_faults),
		cmocka_unit_test(test_signed_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
