/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trees as lines, to the letter. */
#include "enroll/tree-lines.h"

#include "tests/unit/vectors/jose.h"

static void expect_lines(const json_t *lines, const char *text)
{
	char all[2048] = "";
	const json_t *line;
	size_t i, n = 0;

	json_array_foreach(lines, i, line)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s\n", json_string_value(line));
	assert_string_equal(all, text);
}

static void test_who(void **state)
{
	static const struct {
		const char *facts, *who;
	} cases[] = {
		{"{\"pin\":\"tang\",\"url\":\"http://a\"}", "the Tang server http://a"},
		{"{\"pin\":\"tang\"}", "the Tang server ?"},
		{"{\"pin\":\"tpm2\",\"pcrs\":\"none\",\"user_pin\":\"no\"}", "this machine's TPM"},
		{"{\"pin\":\"tpm2\",\"pcrs\":\"sha256:7\",\"user_pin\":\"yes\"}",
		 "this machine's TPM while PCRs sha256:7 are as enrolled with a PIN"},
		{"{\"pin\":\"tpm2\",\"pcrs\":\"none\",\"signed_pcrs\":\"sha256:11\"}",
		 "this machine's TPM while PCRs sha256:11 are as signed"},
		{"{\"pin\":\"odd\"}", "odd"},
		{"{\"pin\":\"unknown\",\"unusable\":\"its JWE is malformed\"}",
		 "a part (unknown) that cannot be used here: its JWE is malformed"},
		{"{}", "unknown"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *facts = json_of(cases[i].facts);
		char who[PIN_WORDS_MAX];

		tree_who(facts, who);
		assert_string_equal(who, cases[i].who);
	}
}

static void test_lines(void **state)
{
	CLEANUP_JSON json_t *facts = json_of(
		"{\"pin\":\"sss\",\"threshold\":2,\"shares\":["
		"{\"pin\":\"tpm2\",\"pcrs\":\"sha256:7\",\"user_pin\":\"no\","
		"\"changed_pcrs\":[\"7 (sha256, secure-boot-policy)\",\"8 (sha256)\"]},"
		"{\"pin\":\"sss\",\"threshold\":2,\"shares\":[{\"pin\":\"tang\",\"url\":\"a\"},"
		"{\"pin\":\"tang\",\"url\":\"b\"}]},{\"pin\":\"tang\",\"url\":\"c\"}]}");
	CLEANUP_JSON json_t *lines = json_array(), *leaf = json_array();

	(void)state;
	tree_lines(facts, 1, lines);
	expect_lines(
		lines,
		" any 2 of these 3:\n"
		"   this machine's TPM while PCRs sha256:7 are as enrolled; changed: 7 (sha256, "
		"secure-boot-policy), 8 (sha256)\n"
		"   all of these 2:\n"
		"     the Tang server a\n"
		"     the Tang server b\n"
		"   the Tang server c\n");
	tree_lines(json_array_get(json_object_get(facts, "shares"), 2), 0, leaf);
	expect_lines(leaf, "the Tang server c\n");
}

static void test_report(void **state)
{
	CLEANUP_JSON json_t *report = json_of(
		"{\"pin\":\"sss\",\"state\":\"failed\",\"ms\":15000,\"threshold\":2,\"shares\":["
		"{\"pin\":\"tpm2\",\"state\":\"wants a PIN\",\"ms\":4},"
		"{\"pin\":\"tang\",\"where\":\"http://a\",\"state\":\"recovered\",\"ms\":12},"
		"{\"pin\":\"sss\",\"state\":\"failed\",\"ms\":9,\"cause\":\"none came\",\"threshold\":1,"
		"\"shares\":[{\"pin\":\"tang\",\"where\":\"http://b\",\"state\":\"failed\",\"ms\":9,"
		"\"cause\":\"connection refused\"}]},"
		"{\"pin\":\"unknown\",\"state\":\"not needed\",\"ms\":0}]}");
	CLEANUP_JSON json_t *lines = json_array(), *none = json_array(), *whole = json_array();

	(void)state;
	tree_report_lines(report, 2, lines);
	expect_lines(lines, "  tpm2: wants a PIN after 4 ms\n"
			    "  tang http://a: recovered after 12 ms\n"
			    "  1 of 1: failed after 9 ms: none came\n"
			    "    tang http://b: failed after 9 ms: connection refused\n"
			    "  unknown: not needed\n");
	tree_report_line(report, 0, whole);
	expect_lines(whole, "2 of 4: failed after 15000 ms\n");
	tree_report_lines(NULL, 2, none);
	tree_report_lines(json_array_get(json_object_get(report, "shares"), 0), 2, none);
	assert_int_equal(json_array_size(none), 0);
}

/* What a server advertises, and a cause that both have but once. */
static void test_advertisement(void **state)
{
	CLEANUP_JSON json_t *report = json_of(
		"{\"shares\":["
		"{\"pin\":\"tang\",\"where\":\"http://a\",\"state\":\"recovered\",\"ms\":12,"
		"\"advertisement\":\"current\",\"health\":\"ok\"},"
		"{\"pin\":\"tang\",\"state\":\"failed\",\"ms\":1,\"cause\":\"one\",\"health\":\"failing\","
		"\"advertisement\":\"untrusted\",\"advertisement_cause\":\"another\"},"
		"{\"pin\":\"tang\",\"state\":\"failed\",\"ms\":1,\"cause\":\"one\","
		"\"advertisement\":\"unreachable\",\"advertisement_cause\":\"one\"},"
		"{\"pin\":\"tpm2\",\"state\":\"failed\",\"ms\":1,\"cause\":\"one\",\"health\":\"early\"}]}");
	CLEANUP_JSON json_t *lines = json_array();

	(void)state;
	tree_report_lines(report, 0, lines);
	expect_lines(lines, "tang http://a: recovered after 12 ms; advertisement current\n"
			    "tang: failed after 1 ms: one; advertisement untrusted: another\n"
			    "tang: failed after 1 ms: one; advertisement unreachable\n"
			    "tpm2: failed after 1 ms: one; holds only before switch-root\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_advertisement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
