/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the command line has a tpm2 leaf bound again: what is due, and what cannot be kept. */
#include "enroll/options-pin.h"
#include "tests/unit/swtpm.h"

#include <errno.h>

static struct swtpm tpm;

static struct again_plan plan_of(const json_t *hdr, bool reseal, const char *pcrs)
{
	const char *const texts[PIN_OPTIONS_MAX] = {[1] = pcrs};
	const struct again again = {.hdr = hdr, .texts = texts, .reseal = reseal};
	struct again_plan plan = {0};
	struct lines lines;

	assert_string_equal(pin_options_tpm2.options[1].name, "tpm2-pcrs");
	assert_int_equal(pin_options_tpm2.again(&again, lines_begin(&lines), &plan), 0);
	assert_told("again", &lines, NULL);
	return plan;
}

/* What is planned demands these PCRs, literally or as they are. */
static void assert_plan(const json_t *hdr, bool reseal, const char *pcrs, bool due,
			const char *want)
{
	struct again_plan plan = plan_of(hdr, reseal, pcrs);
	const char *text = js_str(plan.config, "pcrs");

	expect(want, plan.due, due);
	if (strncmp(text ? text : "", want, strlen(want)) != 0)
		fail_msg("planned with %s, want %s", text, want);
	expect(want, text && strchr(text, '='), !reseal && !pcrs);
	json_decref(plan.config);
}

static void seal(const char *text, struct jwe *ret)
{
	CLEANUP_JSON json_t *config = json_of(text);

	swtpm_seal(text, config, ret);
}

static void test_due(void **state)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	struct again_plan plan;

	(void)state;
	seal("{\"pcrs\":\"7\",\"pin\":true}", &jwe);
	assert_plan(jwe.hdr, false, NULL, false, "7:sha256=");
	assert_plan(jwe.hdr, true, NULL, false, "7:sha256");
	assert_plan(jwe.hdr, false, "7", false, "7");
	assert_plan(jwe.hdr, false, "11+7", true, "7+11");
	swtpm_extend(7);
	assert_plan(jwe.hdr, false, NULL, false, "7:sha256=");
	assert_plan(jwe.hdr, true, NULL, true, "7:sha256");
	assert_plan(jwe.hdr, true, "7", true, "7");
	plan = plan_of(jwe.hdr, true, NULL);
	assert_true(pin_options_tpm2.traits(plan.config) & PIN_TRAIT_USER_PIN);
	json_decref(plan.config);
}

/* Renewing may help itself where it is asked to, and says so where not. */
static void test_not_kept(void **state)
{
	static const char words[] = "at least one of the PCRs sha256:7 changed since enrollment; "
				    "--reseal seals to this TPM and its PCRs as they are";
	const char *const texts[PIN_OPTIONS_MAX] = {0};
	CLEANUP_JSON json_t *other = json_of(FULL_HEADER);
	CLEANUP(jwe_done) struct jwe jwe = {0};
	struct again again = {.texts = texts};
	struct again_plan plan = {0};
	struct lines lines;

	(void)state;
	seal("{\"pcr_bank\":\"sha256\",\"pcr_ids\":\"7\"}", &jwe);
	swtpm_make_clevis(jwe.hdr);
	swtpm_extend(7);
	again.hdr = jwe.hdr;
	assert_int_equal(pin_options_tpm2.again(&again, lines_begin(&lines), &plan), -EKEYREJECTED);
	assert_told("Clevis's", &lines, words);
	assert_plan(jwe.hdr, true, NULL, true, "7:sha256");

	again.hdr = other;
	assert_int_equal(pin_options_tpm2.again(&again, lines_begin(&lines), &plan), -EKEYREJECTED);
	assert_told("another TPM's", &lines, "; --reseal seals to this TPM");
	assert_null(plan.config);
}

static void test_faults(void **state)
{
	const char *const texts[PIN_OPTIONS_MAX] = {[1] = "7:md5"};
	CLEANUP_JSON json_t *hdr = json_of(FULL_HEADER);
	const struct again again = {.hdr = hdr, .texts = texts};
	const struct again reseal = {
		.hdr = hdr, .texts = (const char *const[PIN_OPTIONS_MAX]){0}, .reseal = true};
	struct again_plan plan = {0};
	struct lines lines;

	(void)state;
	assert_int_equal(pin_options_tpm2.again(&again, lines_begin(&lines), &plan), -EINVAL);
	assert_told("PCRs", &lines, "\"md5\" is not a PCR bank");
	assert_int_equal(setenv("COTTER_TPM2_TCTI", "device:/nonexistent", 1), 0);
	assert_int_equal(pin_options_tpm2.again(&reseal, lines_begin(&lines), &plan), -ENODEV);
	assert_told("no TPM", &lines, "cannot be reached");
	swtpm_use(&tpm);
	assert_null(plan.config);
}

static int end(void **state)
{
	(void)state;
	swtpm_stop(&tpm);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_not_kept),
		cmocka_unit_test(test_faults),
	};

	swtpm_start(&tpm);
	return cmocka_run_group_tests(tests, NULL, end);
}
