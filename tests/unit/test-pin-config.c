/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clevis's configurations, and what is left of them for our pins. */
#include "enroll/clevis/pin-config.h"

#include "tests/unit/lines.h"
#include "tests/unit/swtpm.h"

static struct swtpm tpm;

static void test_read(void **state)
{
	static const struct {
		const char *pin, *text, *want;
		const char *told; /* NULL: nothing */
	} cases[] = {
		{"tang", "{\"url\":\"x\",\"thp\":\"y\"}", "{\"thp\":\"y\",\"url\":\"x\"}", NULL},
		{"tang", "{\"url\":\"x\",\"adv\":{\"a\":1}}", "{\"adv\":{\"a\":1},\"url\":\"x\"}",
		 NULL},
		{"tang", "{\"url\":\"x\",\"ca\":\"/c\",\"pubkey\":\"p\"}",
		 "{\"ca\":\"/c\",\"pubkey\":\"p\",\"url\":\"x\"}", NULL},
		/* What our pin knows and Clevis's does not: a renewal's. */
		{"tang", "{\"url\":\"x\",\"keys\":{}}", "{\"url\":\"x\"}", "\"keys\""},
		{"tang", "{\"url\":\"x\",\"tph\":\"y\"}", "{\"url\":\"x\"}", "tang: \"tph\""},
		{"tpm2", "{}", "{}", NULL},
		{"tpm2", "{\"pcr_bank\":\"sha256\"}", "{}", NULL},
		{"tpm2", "{\"pcr_ids\":\"\",\"pcr_bank\":\"none\"}", "{}", NULL},
		{"tpm2", "{\"pcr_ids\":\" 1, 3\",\"pcr_bank\":\"sha256\"}",
		 "{\"pcr_bank\":\"sha256\",\"pcr_ids\":\"1,3\"}", NULL},
		{"tpm2", "{\"pcr_ids\":[\" 1\",3],\"pcr_bank\":\"sha256\"}",
		 "{\"pcr_bank\":\"sha256\",\"pcr_ids\":[\"1\",3]}", NULL},
		{"tpm2", "{\"pcr_ids\":\"1\"}", "{\"pcr_bank\":\"sha1\",\"pcr_ids\":\"1\"}", NULL},
		{"tpm2", "{\"pcr_digest\":\"AAAA\"}", "{}", "pcr_digest"},
		{"tpm2", "{\"pin\":true}", "{}", "\"pin\""},
		{"null", "{\"fail\":true}", "{\"fail\":true}", NULL},
		{"other", "{\"a\":{\"b\":[1]}}", "{\"a\":{\"b\":[1]}}", NULL},
		{"sss", "{\"t\":1,\"pins\":{\"tang\":[],\"null\":{},\"other\":{\"a\":1}}}",
		 "{\"pins\":{\"null\":{},\"other\":{\"a\":1}},\"t\":1}", NULL},
		{"sss", "{\"pins\":{\"sss\":{\"pins\":{\"tpm2\":[{\"odd\":1}]}}}}",
		 "{\"pins\":{\"sss\":{\"pins\":{\"tpm2\":[{}]}}}}", "tpm2: \"odd\""},
		{"sss", "{\"pins\":{\"tpm2\":[7]}}", "{\"pins\":{\"tpm2\":[7]}}", NULL},
		{"sss", "{}", "{}", NULL},
		{"sss", "{\"pins\":7}", "{\"pins\":7}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *config = NULL;
		CLEANUP(free_text) char *text = NULL;
		struct lines lines;

		expect(cases[i].text,
		       pin_config_read(cases[i].pin, cases[i].text, lines_begin(&lines), &config),
		       0);
		assert_int_equal(js_dump(config, &text), 0);
		assert_string_equal(text, cases[i].want);
		assert_told(cases[i].text, &lines, cases[i].told);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *pin, *text, *words;
	} cases[] = {
		{"tang", "", "JSON"},
		{"tang", "[]", "JSON"},
		{"tang", "{\"url\":\"x\",\"url\":\"y\"}", "JSON"},
		{"tang", "/nonexistent", "JSON"},
		{"tang", "/", "JSON"},
		{"tang", "/dev/null", "JSON"},
		{"tang", "/dev/zero", "JSON"},
		{"tpm2", "{\"pcr_ids\":7}", "pcr_ids"},
		{"tpm2", "{\"pcr_ids\":{}}", "pcr_ids"},
		{"sss", "{\"pins\":{\"tpm2\":{\"pcr_ids\":7}}}", "pcr_ids"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *config = NULL;
		struct lines lines;

		expect(cases[i].text,
		       pin_config_read(cases[i].pin, cases[i].text, lines_begin(&lines), &config),
		       -EINVAL);
		assert_null(config);
		assert_told(cases[i].text, &lines, cases[i].words);
	}
}

static void test_file(void **state)
{
	char name[] = "/tmp/cotter-config.XXXXXX";
	int fd = mkstemp(name);
	CLEANUP_JSON json_t *config = NULL;

	(void)state;
	assert_true(dprintf(fd, "{\"fail\":false}\n") > 0);
	(void)close(fd);
	assert_int_equal(pin_config_read("null", name, NULL, &config), 0);
	assert_true(json_is_false(json_object_get(config, "fail")));
	(void)unlink(name);
}

/* Without a TPM nobody knows its first bank. */
static void test_no_tpm(void **state)
{
	json_t *config = NULL;
	struct lines lines;

	(void)state;
	swtpm_stop(&tpm);
	assert_int_equal(
		pin_config_read("tpm2", "{\"pcr_ids\":\"1\"}", lines_begin(&lines), &config),
		-ENODEV);
	assert_told("no TPM", &lines, "TPM");
	assert_int_equal(pin_config_read("tpm2", "{}", lines_begin(&lines), &config), 0);
	json_decref(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_no_tpm),
	};

	swtpm_start(&tpm);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
