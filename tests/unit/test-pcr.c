/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PCRs as people, Clevis and headers write them. */
#include "tpm/pcr.h"

#include "tests/unit/vectors/tpm.h"

#define ZEROS_20 "0000000000000000000000000000000000000000"
#define ZEROS    "AAAAAAAAAAAAAAAAAAAAAAAAAAA" /* ZEROS_20 as base64url */
#define ONES_32  "1111111111111111111111111111111111111111111111111111111111111111"

static const struct hash_alg *alg(const char *name)
{
	const struct hash_alg *found = hash_alg_by_name(ref_str(name));

	assert_non_null(found);
	return found;
}

static void test_algs(void **state)
{
	(void)state;
	assert_int_equal(alg("sha1")->size, 20);
	assert_int_equal(alg("sha512")->id, TPM2_ALG_SHA512);
	assert_ptr_equal(hash_alg_by_id(TPM2_ALG_SHA384), alg("sha384"));
	assert_null(hash_alg_by_name(ref_str("sha25")));
	assert_null(hash_alg_by_name(ref_str("SHA256")));
	assert_null(hash_alg_by_name(ref_str("")));
	assert_null(hash_alg_by_id(TPM2_ALG_SM3_256));
}

static void test_parse(void **state)
{
	static const struct {
		const char *text, *want; /* with sha256 as the bank of those that name none */
	} texts[] = {
		{"7", "sha256:7"},
		{"07", "sha256:7"},
		{"7+11", "sha256:7,11"},
		{"11,7", "sha256:7,11"},
		{"0+23", "sha256:0,23"},
		{"secure-boot-policy+kernel-boot", "sha256:7,11"},
		{"7:sha384", "sha384:7"},
		{"7:sha384+7:sha1+7", "sha1:7+sha256:7+sha384:7"},
		{"7:sha256+7", "sha256:7"},
		{"7=" ONES_32, "sha256:7"},
		{"7:sha256=0x" ONES_32, "sha256:7"},
		{"4=" ZEROS_20 "+7", "sha1:4+sha256:7"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct lines lines;
		struct pcr_set set;
		char got[PCR_TEXT_MAX];

		expect(texts[i].text, pcr_parse(texts[i].text, lines_begin(&lines), &set), 0);
		assert_told(texts[i].text, &lines, NULL);
		pcr_set_bank(&set, alg("sha256"));
		pcr_format(&set, got);
		assert_string_equal(got, texts[i].want);
	}
}

static void test_parse_value(void **state)
{
	struct pcr_set set;

	(void)state;
	assert_int_equal(pcr_parse("7+4:sha1=00aAfF0000000000000000000000000000000009", NULL, &set),
			 0);
	assert_int_equal(set.n, 2);
	assert_false(set.pcrs[0].has_value);
	assert_true(set.pcrs[1].has_value);
	assert_hex("value", set.pcrs[1].value, 20, "00aaff0000000000000000000000000000000009");
}

static void test_parse_faults(void **state)
{
	static const struct {
		const char *text, *told;
	} texts[] = {
		{"", "is not a PCR"},
		{"24", "\"24\" is not a PCR: they have the numbers 0 to 23"},
		{"-1", "is not a PCR"},
		{"7 ", "is not a PCR"},
		{"007", "is not a PCR"},
		{"7+", "is not a PCR"},
		{"+7", "is not a PCR"},
		{"7++8", "is not a PCR"},
		{"seven", "\"seven\" is not a PCR"},
		{"7:", "is not a PCR bank"},
		{"7:md5", "\"md5\" is not a PCR bank"},
		{"7=", "is not the hexadecimal digest"},
		{"7=12", "is not the hexadecimal digest"},
		{"7:sha384=" ONES_32, "is not the hexadecimal digest"},
		{"7:sha1=" ZEROS_20 "0", "is not the hexadecimal digest"},
		{"7:sha1=000000000000000000000000000000000000000g",
		 "is not the hexadecimal digest"},
		{"7+7", "PCR 7 is named twice"},
		{"7:sha1+7:sha1", "PCR 7 is named twice"},
		{"0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,0:sha1",
		 "more than 24 PCRs"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct lines lines;
		struct pcr_set set;

		memset(&set, UNTOUCHED, sizeof(set));
		expect(texts[i].text, pcr_parse(texts[i].text, lines_begin(&lines), &set), -EINVAL);
		assert_told(texts[i].text, &lines, texts[i].told);
		assert_untouched(texts[i].text, &set, sizeof(set));
	}
}

static void test_ids(void **state)
{
	static const struct {
		const char *json, *want; /* want NULL: refused */
	} ids[] = {
		{"\"7\"", "7"},
		{"\"1,3\"", "1,3"},
		{"\" 3 , 1 \"", "1,3"},
		{"\"7,7\"", "7"},
		{"[\"1\",\"3\"]", "1,3"},
		{"[1,3]", "1,3"},
		{"[\"1,3\",4]", "1,3,4"},
		{"7", "7"},
		{"\"all\"", "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23"},
		{"\"\"", NULL},
		{"[]", NULL},
		{"{}", NULL},
		{"null", NULL},
		{"true", NULL},
		{"[\"\"]", NULL},
		{"[[1]]", NULL},
		{"[1.5]", NULL},
		{"24", NULL},
		{"-1", NULL},
		{"100000000000", NULL},
		{"\"1,24\"", NULL},
		{"\"1;3\"", NULL},
		{"\"1,,3\"", NULL},
		{"\"1,\"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		CLEANUP_JSON json_t *json = json_of(ids[i].json);
		struct lines lines;
		struct pcr_set set;
		char got[PCR_TEXT_MAX];

		memset(&set, UNTOUCHED, sizeof(set));
		expect(ids[i].json, pcr_parse_ids(json, alg("sha1"), lines_begin(&lines), &set),
		       ids[i].want ? 0 : -EBADMSG);
		assert_told(ids[i].json, &lines, ids[i].want ? NULL : "\"pcr_ids\" is not a list");
		if (!ids[i].want) {
			assert_untouched(ids[i].json, &set, sizeof(set));
			continue;
		}
		pcr_format_ids(&set, got);
		assert_string_equal(got, ids[i].want);
		assert_ptr_equal(pcr_one_bank(&set), alg("sha1"));
	}
}

static void test_one_bank(void **state)
{
	struct pcr_set set = {0};

	(void)state;
	assert_null(pcr_one_bank(&set));
	assert_int_equal(pcr_parse("7:sha1+8:sha1", NULL, &set), 0);
	assert_ptr_equal(pcr_one_bank(&set), alg("sha1"));
	assert_int_equal(pcr_parse("7:sha1+8:sha256", NULL, &set), 0);
	assert_null(pcr_one_bank(&set));
	assert_int_equal(pcr_parse("7", NULL, &set), 0);
	assert_null(pcr_one_bank(&set));
}

static void test_values(void **state)
{
	static const char text[] = "11=" ONES_32 "+7=" ONES_32 "+7=" ZEROS_20;
	CLEANUP_JSON json_t *json = NULL;
	struct pcr_set set, read;
	char *dumped = NULL;

	(void)state;
	assert_int_equal(pcr_parse(text, NULL, &set), 0);
	json = pcr_to_values(&set);
	assert_int_equal(js_dump(json, &dumped), 0);
	assert_string_equal(dumped,
			    "{\"sha1:7\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\","
			    "\"sha256:11\":\"ERERERERERERERERERERERERERERERERERERERERERE\","
			    "\"sha256:7\":\"ERERERERERERERERERERERERERERERERERERERERERE\"}");
	free(dumped);

	assert_int_equal(pcr_from_values(json, NULL, &read), 0);
	assert_true(pcr_same(&read, &set));
	assert_true(read.pcrs[2].has_value);
	assert_int_equal(read.pcrs[2].index, 11);
	assert_hex("value", read.pcrs[2].value, 32, ONES_32);
}

static void test_values_faults(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"null",
		"\"sha1:7\"",
		"{\"sha1:7\":1}",
		"{\"sha1:7\":\"\"}",
		"{\"sha1:7\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"{\"sha1:7\":\"AAAAAAAAAAAAAAAAAAAAAAAAAA+\"}",
		"{\"sha1:24\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"{\"sha1\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"{\"7\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"{\"md5:7\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"{\"sha1:7\":\"" ZEROS "\",\"sha1:07\":\"" ZEROS "\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP_JSON json_t *json = json_of(texts[i]);
		struct lines lines;
		struct pcr_set set;

		memset(&set, UNTOUCHED, sizeof(set));
		expect(texts[i], pcr_from_values(json, lines_begin(&lines), &set), -EBADMSG);
		assert_told(texts[i], &lines, "\"pcr_values\"");
		assert_untouched(texts[i], &set, sizeof(set));
	}
}

static void test_describe(void **state)
{
	struct pcr pcr = {.bank = alg("sha384"), .index = 7};
	char text[PCR_TEXT_MAX];

	(void)state;
	pcr_describe(&pcr, text);
	assert_string_equal(text, "7 (sha384, secure-boot-policy)");
	pcr.index = 8;
	pcr_describe(&pcr, text);
	assert_string_equal(text, "8 (sha384)");
}

/* The longest set that there can be. */
static void test_format_fits(void **state)
{
	struct pcr_set set = {0};
	char text[PCR_TEXT_MAX];

	(void)state;
	for (unsigned i = 0; i < PCR_SET_MAX; i++)
		assert_int_equal(pcr_add(&set, &(struct pcr){.bank = &hash_algs[i % HASH_ALGS],
							     .index = 23 - i}),
				 0);
	pcr_format(&set, text);
	assert_true(strlen(text) < PCR_TEXT_MAX - 1);
	assert_int_equal(pcr_add(&set, &set.pcrs[0]), -EEXIST);
	assert_int_equal(pcr_add(&set, &(struct pcr){.bank = alg("sha1"), .index = 22}), -E2BIG);
	assert_int_equal(pcr_add(&set, &(struct pcr){.bank = alg("sha1"), .index = 24}), -EINVAL);
}

static void assert_written(const struct pcr_set *set, const char *want)
{
	CLEANUP(buf_done) struct buf text = {0};

	assert_int_equal(pcr_write(set, &text), 0);
	if (!ref_is(buf_ref(&text), want))
		fail_msg("written as %.*s, want %s", (int)text.n, (const char *)text.p, want);
}

static void test_write(void **state)
{
	static const char *const texts[] = {
		"7",
		"7+11",
		"7:sha1+11:sha512",
		"7:sha256=" ONES_32 "+9:sha256",
		"4:sha1=00aaff0000000000000000000000000000000009",
	};
	struct pcr_set set = {0};

	(void)state;
	assert_written(&set, "");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(pcr_parse(texts[i], NULL, &set), 0);
		assert_written(&set, texts[i]);
	}
}

/* The longest set again, read as it was written. */
static void test_write_fits(void **state)
{
	CLEANUP(buf_done) struct buf text = {0};
	struct pcr_set set = {0}, read;

	(void)state;
	for (unsigned i = 0; i < PCR_SET_MAX; i++) {
		struct pcr pcr = {.bank = alg("sha512"), .index = i, .has_value = true};

		memset(pcr.value, (int)(0xf0 - i), sizeof(pcr.value));
		assert_int_equal(pcr_add(&set, &pcr), 0);
	}
	assert_int_equal(pcr_write(&set, &text), 0);
	assert_int_equal(buf_append(&text, "", 1), 0);
	assert_int_equal(pcr_parse((const char *)text.p, NULL, &read), 0);
	assert_true(pcr_same(&set, &read));
	for (size_t i = 0; i < read.n; i++)
		assert_memory_equal(read.pcrs[i].value, set.pcrs[i].value, PCR_DIGEST_MAX);
}

static void test_selection(void **state)
{
	TPML_PCR_SELECTION selection;
	struct pcr_set set;

	(void)state;
	assert_int_equal(pcr_parse("23:sha1+0:sha256+9:sha1+7:sha256", NULL, &set), 0);
	pcr_selection(&set, &selection);
	assert_int_equal(selection.count, 2);
	assert_int_equal(selection.pcrSelections[0].hash, TPM2_ALG_SHA1);
	assert_int_equal(selection.pcrSelections[0].sizeofSelect, 3);
	assert_hex("sha1", selection.pcrSelections[0].pcrSelect, 3, "000280");
	assert_int_equal(selection.pcrSelections[1].hash, TPM2_ALG_SHA256);
	assert_hex("sha256", selection.pcrSelections[1].pcrSelect, 3, "810000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_algs),        cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_value), cmocka_unit_test(test_parse_faults),
		cmocka_unit_test(test_ids),         cmocka_unit_test(test_one_bank),
		cmocka_unit_test(test_values),      cmocka_unit_test(test_values_faults),
		cmocka_unit_test(test_describe),    cmocka_unit_test(test_format_fits),
		cmocka_unit_test(test_write),       cmocka_unit_test(test_write_fits),
		cmocka_unit_test(test_selection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
