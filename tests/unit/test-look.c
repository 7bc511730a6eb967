/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tool tells people about a TPM that is there. */
#include "tests/unit/swtpm.h"

#include <errno.h>

static struct swtpm tpm;

static void test_banks(void **state)
{
	const char *bank = NULL;
	struct lines lines;

	(void)state;
	assert_int_equal(tpm2_best_bank(NULL, "7", lines_begin(&lines), &bank), 0);
	assert_string_equal(bank, "sha256");
	assert_int_equal(tpm2_first_bank(NULL, lines_begin(&lines), &bank), 0);
	assert_string_equal(bank, "sha1");
	assert_int_equal(tpm2_first_bank("device:/nonexistent", lines_begin(&lines), &bank),
			 -ENODEV);
	assert_told("no TPM", &lines, "cannot be reached");
	assert_string_equal(bank, "sha1");
}

/* A new TPM has no storage root key; the first binding that wants one makes it. */
static void test_makes_parent(void **state)
{
	CLEANUP_JSON json_t *config = json_of("{\"pin\":true}");
	CLEANUP(jwe_done) struct jwe jwe = {0};
	struct lines lines;
	bool makes = false;

	(void)state;
	assert_int_equal(tpm2_makes_parent(config, lines_begin(&lines), &makes), 0);
	assert_true(makes);
	swtpm_seal("with a PIN", config, &jwe);
	assert_int_equal(tpm2_makes_parent(config, lines_begin(&lines), &makes), 0);
	assert_false(makes);
	assert_told("parent", &lines, NULL);
}

static void assert_changed(const json_t *hdr, const char *want)
{
	CLEANUP_JSON json_t *changed = NULL, *wanted = json_loads(want, 0, NULL);
	struct lines lines;

	expect(want, tpm2_changed_pcrs(hdr, NULL, lines_begin(&lines), &changed), 0);
	assert_told(want, &lines, NULL);
	assert_true(json_equal(changed, wanted));
}

static void test_changed_pcrs(void **state)
{
	CLEANUP_JSON json_t *config = json_of("{\"pcrs\":\"7+14\"}"), *theirs = NULL;
	CLEANUP_JSON json_t *changed = NULL;
	CLEANUP(jwe_done) struct jwe jwe = {0};
	struct lines lines;

	(void)state;
	swtpm_seal("7+14", config, &jwe);
	theirs = json_deep_copy(jwe.hdr);
	swtpm_make_clevis(theirs);
	assert_changed(jwe.hdr, "[]");
	swtpm_extend(7);
	assert_changed(jwe.hdr, "[\"7 (sha256, secure-boot-policy)\"]");
	assert_changed(theirs, "[]");

	change(jwe.hdr, "clevis.tpm2.name", "\"AAt7aA2cf8etgpz15S7JQCI1nFZ230kX2iB40O-IaOmVTw\"");
	assert_int_equal(tpm2_changed_pcrs(jwe.hdr, NULL, lines_begin(&lines), &changed),
			 -EKEYREJECTED);
	assert_told("another TPM's", &lines, "another TPM");
	assert_null(changed);
}

static int end(void **state)
{
	(void)state;
	swtpm_stop(&tpm);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_banks),
		cmocka_unit_test(test_makes_parent),
		cmocka_unit_test(test_changed_pcrs),
	};

	swtpm_start(&tpm);
	return cmocka_run_group_tests(tests, NULL, end);
}
