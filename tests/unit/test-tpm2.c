/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tpm2 pin as far as no TPM is needed: what it accepts and says, and that it fails without one. */
#include "tpm/tpm2.h"

#include "tests/unit/vectors/tpm.h"

#define NO_TPM "device:/nonexistent"

static const struct pin *const table[] = {&pin_tpm2, NULL};

static void test_table(void **state)
{
	CLEANUP_JSON json_t *hdr = json_of(CLEVIS_HEADER);

	(void)state;
	assert_ptr_equal(pin_find(table, hdr), &pin_tpm2);
	assert_true(pin_tpm2.flags & PIN_LOCAL);
	assert_true(pin_tpm2.flags & PIN_USER_PIN);
	assert_false(pin_tpm2.flags & PIN_NET);
}

static void test_check(void **state)
{
	CLEANUP_JSON json_t *clevis = json_of(CLEVIS_HEADER), *full = json_of(FULL_HEADER);
	struct lines lines;

	(void)state;
	assert_int_equal(pin_tpm2.check(table, clevis, lines_begin(&lines)), 0);
	assert_told("Clevis's", &lines, NULL);
	assert_int_equal(pin_tpm2.check(table, full, lines_begin(&lines)), 0);
	assert_told("ours", &lines, NULL);
	change(full, "clevis.tpm2.jwk_pub", "\"AAAA\"");
	assert_int_equal(pin_tpm2.check(table, full, lines_begin(&lines)), -EBADMSG);
	assert_told("altered", &lines, "\"jwk_pub\"");
}

static void assert_facts(const char *header, const char *want)
{
	CLEANUP_JSON json_t *hdr = json_of(header), *facts = json_object(), *wanted = json_of(want);
	char *text = NULL;

	assert_int_equal(pin_tpm2.describe(table, hdr, facts), 0);
	assert_int_equal(js_dump(facts, &text), 0);
	if (!json_equal(facts, wanted))
		fail_msg("described as %s, want %s", text, want);
	free(text);
}

static void test_describe(void **state)
{
	(void)state;
	assert_facts(CLEVIS_HEADER,
		     "{\"hash\":\"sha256\",\"key\":\"ecc\",\"pcrs\":\"sha256:0,7\",\"pin\":\"no\","
		     "\"clevis_reads_it\":\"yes\"}");
	assert_facts(FULL_HEADER,
		     "{\"parent\":\"0x81000001 (storage root key)\","
		     "\"pcrs\":\"sha256:7+sha384:4\",\"pin\":\"yes\",\"signed_pcrs\":\"sha256:11\","
		     "\"signature\":\"/etc/x.json\",\"clevis_reads_it\":\"no\"}");
}

/* Told by PCR 15 alone, and by zeros alone. */
static void test_describe_early(void **state)
{
	static const struct {
		const char *values;
		bool early;
	} cases[] = {
		{"{\"sha256:15\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", true},
		{"{\"sha256:15\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}", false},
		{"{\"sha256:14\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *hdr = json_of(FULL_HEADER), *facts = json_object();

		change(hdr, "clevis.tpm2.pcr_values", cases[i].values);
		assert_int_equal(pin_tpm2.describe(table, hdr, facts), 0);
		expect(cases[i].values, js_str(facts, "holds") != NULL, cases[i].early);
	}
}

static int seal(const char *text, struct ref pin, struct lines *lines)
{
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = table,
		.log = lines_begin(lines),
		.deadline_us = now_us() + USEC_PER_SEC,
		.user_pin = pin,
	};
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP_JSON json_t *cfg = json_of(text);

	return pin_seal(&cot, "tpm2", cfg, ref_str("a secret"), &jwe);
}

/* Before any TPM is looked for. */
static void test_seal_faults(void **state)
{
	struct lines lines;

	(void)state;
	assert_int_equal(seal("{\"pcrs\":\"99\"}", (struct ref){0}, &lines), -EINVAL);
	assert_told("PCR 99", &lines, "\"99\" is not a PCR");
	assert_int_equal(seal("{\"pin\":true}", (struct ref){0}, &lines), -EINVAL);
	assert_told("no PIN", &lines, "an empty PIN protects nothing");
	assert_int_equal(seal("{\"pin\":true}", ref_str(""), &lines), -EINVAL);
	assert_told("empty PIN", &lines, "an empty PIN protects nothing");
}

static void test_seal_without_tpm(void **state)
{
	struct lines lines;

	(void)state;
	assert_int_equal(seal("{\"tcti\":\"" NO_TPM "\"}", (struct ref){0}, &lines), -ENODEV);
	assert_told("no TPM", &lines, "the TPM at " NO_TPM " cannot be reached");
}

/* As a step, for a JWE of which only the header matters. */
static int step(const char *header, struct ref pin, struct lines *lines)
{
	CLEANUP(jwe_done) struct jwe jwe = {.hdr = json_of(header)};
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = table,
		.log = lines_begin(lines),
		.deadline_us = now_us() + USEC_PER_SEC,
		.user_pin = pin,
	};
	CLEANUP(job_done) struct job job = {0};
	CLEANUP(buf_done) struct buf cek = {0};
	int r;

	assert_int_equal(job_init(&job, &cot, &jwe), 0);
	r = pin_tpm2.decrypt(&cot, &job, &cek);
	(void)log_err(cot.log, 0, "%s", job.why);
	return r;
}

static void test_open_without_tpm(void **state)
{
	/* provokes: tss_open -ENODEV */
	struct lines lines;

	(void)state;
	assert_int_equal(step(CLEVIS_HEADER, (struct ref){0}, &lines), -ENODEV);
	assert_told("no TPM", &lines, "the TPM at " NO_TPM " cannot be reached");
	/* A PIN is asked for only where it would help. */
	assert_int_equal(step(FULL_HEADER, (struct ref){0}, &lines), -ENODEV);
	assert_int_equal(step(FULL_HEADER, ref_str("1234"), &lines), -ENODEV);
}

static void test_empty_pin(void **state)
{
	struct lines lines;

	(void)state;
	assert_int_equal(step(FULL_HEADER, ref_str(""), &lines), -EKEYREJECTED);
	assert_told("empty PIN", &lines, "the PIN was empty, and the TPM was not asked");
	/* It is no business of those that have none. */
	assert_int_equal(step(CLEVIS_HEADER, ref_str(""), &lines), -ENODEV);
}

static void test_looks(void **state)
{
	CLEANUP_JSON json_t *hdr = json_of(FULL_HEADER), *none = json_of(CLEVIS_HEADER);
	CLEANUP_JSON json_t *cfg = json_of("{\"pin\":true}"), *plain = json_of("{}");
	CLEANUP_JSON json_t *changed = NULL, *devices = NULL;
	const char *bank;
	struct lines lines;
	bool makes = true;

	(void)state;
	assert_int_equal(tpm2_best_bank(NULL, "7", lines_begin(&lines), &bank), -ENODEV);
	assert_told("bank", &lines, "cannot be reached");
	assert_int_equal(tpm2_best_bank(NULL, "x", lines_begin(&lines), &bank), -EINVAL);
	assert_int_equal(tpm2_makes_parent(cfg, lines_begin(&lines), &makes), -ENODEV);
	assert_true(makes);
	assert_int_equal(tpm2_makes_parent(plain, lines_begin(&lines), &makes), 0);
	assert_false(makes);
	assert_int_equal(tpm2_changed_pcrs(hdr, NULL, lines_begin(&lines), &changed), -ENODEV);
	change(none, "clevis.tpm2.pcr_ids", NULL);
	assert_int_equal(tpm2_changed_pcrs(none, NULL, lines_begin(&lines), &changed), 0);
	assert_int_equal(json_array_size(changed), 0);
	assert_int_equal(tpm2_devices(&devices), 0);
	assert_true(json_is_array(devices));
}

/* libtss2-tcti-device would write about it on stderr. */
static int point_nowhere(void **state)
{
	(void)state;
	return setenv("COTTER_TPM2_TCTI", NO_TPM, 1) || setenv("TSS2_LOG", "all+none", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_describe_early),
		cmocka_unit_test(test_seal_faults),
		cmocka_unit_test(test_seal_without_tpm),
		cmocka_unit_test(test_open_without_tpm),
		cmocka_unit_test(test_empty_pin),
		cmocka_unit_test(test_looks),
	};

	return cmocka_run_group_tests(tests, point_nowhere, NULL);
}
