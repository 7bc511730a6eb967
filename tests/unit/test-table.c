/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables to the letter, and what a header may not do to a terminal. */
#include "enroll/table.h"

#include "tests/unit/capture.h"
#include "tests/unit/vectors/jose.h"

#include <locale.h>

static const char *listed(const char *text)
{
	CLEANUP_JSON json_t *result = json_of(text);
	struct capture capture = capture_begin(STDOUT_FILENO);

	table_list(result);
	return capture_end(&capture);
}

static const char *tested(const char *text, bool quiet)
{
	CLEANUP_JSON json_t *result = json_of(text);
	struct capture capture = capture_begin(STDOUT_FILENO);

	table_test(result, quiet);
	return capture_end(&capture);
}

/* A list with one token with this label (JSON text). */
static const char *labelled(const char *label)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "{\"keyslots\":[],\"tokens\":[{\"token\":0,\"type\":\"t\",\"keyslots\":[],"
		       "\"state\":\"ok\",\"label\":\"%s\",\"facts\":{\"a\":\"b\"}}]}",
		       label);
	return listed(text);
}

static void test_list(void **state)
{
	(void)state;
	assert_string_equal(listed("{\"keyslots\":[],\"tokens\":[]}"),
			    "SLOT  TOKEN  TYPE  LABEL  DETAILS\n");
	assert_string_equal(
		listed("{\"keyslots\":["
		       "{\"keyslot\":0,\"state\":\"active\",\"tokens\":[]},"
		       "{\"keyslot\":1,\"state\":\"active\",\"tokens\":[0,4]},"
		       "{\"keyslot\":12,\"state\":\"unbound\",\"tokens\":[]}"
		       "],\"tokens\":["
		       "{\"token\":0,\"type\":\"cotter-tang\",\"keyslots\":[1],\"state\":\"ok\","
		       "\"label\":\"front door\",\"facts\":{\"url\":\"http://h\","
		       "\"signing_keys\":[\"K1\",\"K2\"],\"deadline\":60,\"flag\":true,"
		       "\"other\":false}},"
		       "{\"token\":4,\"type\":\"systemd-tpm2\",\"keyslots\":[1],"
		       "\"state\":\"foreign\"},"
		       "{\"token\":31,\"type\":\"cotter-sss\",\"keyslots\":[],\"state\":\"broken\","
		       "\"cause\":\"no such pin\"}"
		       "]}"),
		"SLOT  TOKEN  TYPE          LABEL       DETAILS\n"
		"0     -      passphrase\n"
		"1     0      cotter-tang   front door  url: http://h\n"
		"                                       signing_keys: K1, K2\n"
		"                                       deadline: 60\n"
		"                                       flag: yes\n"
		"                                       other: no\n"
		"1     4      systemd-tpm2\n"
		"12    -      unbound\n"
		"-     31     cotter-sss                broken: no such pin\n");
}

/* A token on two keyslots stands on both; causes come before facts. */
static void test_list_shared(void **state)
{
	(void)state;
	assert_string_equal(
		listed("{\"keyslots\":["
		       "{\"keyslot\":1,\"state\":\"active\",\"tokens\":[2]},"
		       "{\"keyslot\":3,\"state\":\"unbound\",\"tokens\":[2]}"
		       "],\"tokens\":[{\"token\":2,\"type\":\"t\",\"keyslots\":[1,3],"
		       "\"state\":\"bad\",\"cause\":\"why\",\"facts\":{\"empty\":[],\"odd\":[1]}}]}"),
		"SLOT  TOKEN  TYPE  LABEL  DETAILS\n"
		"1     2      t            bad: why\n"
		"                          empty: \n"
		"                          odd: ?\n"
		"3     2      t            bad: why\n"
		"                          empty: \n"
		"                          odd: ?\n");
}

/* In a locale without UTF-8 nothing but ASCII is written. */
static void test_ascii(void **state)
{
	const char *text;

	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C"));
	text = labelled("B\303\274ro \\u001b[31m\\u007f\\u0085");
	for (const char *c = text; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
	assert_non_null(strstr(text, "?ro ?[31m?"));
}

static void test_utf8(void **state)
{
	static const struct {
		const char *label, *row;
	} cases[] = {
		{"Büro", "-     0      t     Büro   a: b\n"},
		{"金庫", "-     0      t     金庫   a: b\n"},
		{"1234567", "-     0      t     1234567  a: b\n"},
		{"a\\u001b]0;t\\u0007", "-     0      t     a?]0;t?  a: b\n"},
		{"\\u0085\\u202e", NULL},
		{"e\\u0301", "-     0      t     e?     a: b\n"},
		{"\\n\\r\\t", "-     0      t     ???    a: b\n"},
		{"%s%n", "-     0      t     %s%n   a: b\n"},
	};

	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *text = labelled(cases[i].label);

		if (cases[i].row && !strstr(text, cases[i].row))
			fail_msg("%s: no \"%s\" in \"%s\"", cases[i].label, cases[i].row, text);
		assert_null(strstr(text, "\033"));
		assert_null(strstr(text, "\302\205"));     /* next line */
		assert_null(strstr(text, "\342\200\256")); /* text from right to left */
	}
	assert_non_null(setlocale(LC_CTYPE, "C"));
}

/* A cause longer than a cell is cut, not overrun. */
static void test_long(void **state)
{
	char text[8192], cause[4096];
	const char *shown;

	(void)state;
	memset(cause, 'x', sizeof(cause));
	cause[sizeof(cause) - 1] = '\0';
	(void)snprintf(text, sizeof(text),
		       "{\"keyslots\":[],\"tokens\":[{\"token\":0,\"type\":\"t\",\"keyslots\":[],"
		       "\"state\":\"bad\",\"cause\":\"%s\"}]}",
		       cause);
	shown = listed(text);
	assert_in_range(strspn(strchr(shown, 'x'), "x"), 512, 1024);
}

static void test_test(void **state)
{
	static const char text[] =
		"{\"tokens\":["
		"{\"token\":0,\"type\":\"cotter-tang\",\"result\":\"ok\",\"milliseconds\":12.34},"
		"{\"token\":2,\"type\":\"cotter-tang\",\"result\":\"unreachable\","
		"\"milliseconds\":3000.0,\"cause\":\"http://h: connection refused\"},"
		"{\"token\":31,\"type\":\"cotter-\\u001bx\",\"result\":\"failed\","
		"\"milliseconds\":0.04,\"cause\":\"it is \\u0007bad\"}]}";

	(void)state;
	assert_string_equal(tested(text, false),
			    "token 0 (cotter-tang): opens the volume after 12.3 ms\n"
			    "token 2 (cotter-tang): unreachable after 3000.0 ms: "
			    "http://h: connection refused\n"
			    "token 31 (cotter-?x): failed after 0.0 ms: it is ?bad\n");
	assert_string_equal(tested(text, true),
			    "token 2 (cotter-tang): unreachable after 3000.0 ms: "
			    "http://h: connection refused\n"
			    "token 31 (cotter-?x): failed after 0.0 ms: it is ?bad\n");
	assert_string_equal(tested("{\"tokens\":[]}", false), "");
	assert_string_equal(tested("{}", false), "");
}

#define UNVERIFIED                                                                             \
	"  unverified: what a token says is believed once its secret has opened its keyslot, " \
	"which it has not\n"

static const char *reported(const char *text, bool quiet)
{
	CLEANUP_JSON json_t *result = json_of(text);
	static struct capture capture;

	capture = capture_begin(STDOUT_FILENO);
	table_report(result, quiet);
	return capture_end(&capture);
}

#define SHARES                                                                                 \
	"\"threshold\":1,\"shares\":[{\"pin\":\"tang\",\"url\":\"http://\\u001ba\"},{\"pin\":" \
	"\"unknown\",\"unusable\":\"it is odd\"}]"

/* A policy is a tree in the last column; what is said of the whole token stands below. */
static void test_list_policy(void **state)
{
	(void)state;
	assert_string_equal(
		listed("{\"keyslots\":[],\"tokens\":[{\"token\":0,\"type\":\"cotter-sss\",\"keyslots\":[],"
		       "\"state\":\"orphaned\",\"cause\":\"why\",\"facts\":{" SHARES
		       ",\"deadline\":60}}]}"),
		"SLOT  TOKEN  TYPE        LABEL  DETAILS\n"
		"-     0      cotter-sss         orphaned: why\n"
		"                                any 1 of these 2:\n"
		"                                  the Tang server http://?a\n"
		"                                  a part (unknown) that cannot be used here: it is "
		"odd\n"
		"                                deadline: 60\n");
}

static void test_test_policy(void **state)
{
	static const char text[] =
		"{\"tokens\":["
		"{\"token\":0,\"type\":\"cotter-sss\",\"result\":\"failed\",\"milliseconds\":15.0,"
		"\"cause\":\"share 1 of 1: no; none came\",\"report\":{\"pin\":\"sss\",\"state\":"
		"\"failed\",\"ms\":15,\"cause\":\"none came\",\"threshold\":1,\"shares\":[{\"pin\":"
		"\"tang\",\"where\":\"http://\\u0007\",\"state\":\"failed\",\"ms\":14,\"cause\":\"no\"}"
		"]}},"
		"{\"token\":1,\"type\":\"cotter-sss\",\"result\":\"failed\",\"milliseconds\":15.0,"
		"\"cause\":\"its secret opens nothing\",\"report\":{\"pin\":\"sss\",\"state\":"
		"\"recovered\",\"ms\":15,\"threshold\":1,\"shares\":[{\"pin\":\"tpm2\",\"state\":"
		"\"recovered\",\"ms\":14}]}},"
		"{\"token\":2,\"type\":\"cotter-tang\",\"result\":\"failed\",\"milliseconds\":1.0,"
		"\"cause\":\"why\",\"report\":{\"pin\":\"tang\",\"state\":\"failed\",\"ms\":1}},"
		"{\"token\":3,\"type\":\"cotter-sss\",\"result\":\"ok\",\"milliseconds\":1.0,"
		"\"report\":{\"pin\":\"sss\",\"state\":\"recovered\",\"ms\":1,\"threshold\":1,"
		"\"shares\":[{\"pin\":\"tpm2\",\"state\":\"recovered\",\"ms\":1}]}}]}";
	static const char failed[] =
		"token 0 (cotter-sss): failed after 15.0 ms: none came\n"
		"  tang http://?: failed after 14 ms: no\n"
		"token 1 (cotter-sss): failed after 15.0 ms: its secret opens nothing\n"
		"  tpm2: recovered after 14 ms\n"
		"token 2 (cotter-tang): failed after 1.0 ms: why\n";
	char all[1024];

	(void)state;
	(void)snprintf(all, sizeof(all), "%s%s", failed,
		       "token 3 (cotter-sss): opens the volume after 1.0 ms\n"
		       "  tpm2: recovered after 1 ms\n");
	assert_string_equal(tested(text, false), all);
	assert_string_equal(tested(text, true), failed);
}

/* A token a line, a part a line, and what of it is to be believed. */
static void test_report(void **state)
{
	static const char text[] =
		"{\"tokens\":["
		"{\"token\":0,\"type\":\"cotter-tang\",\"health\":\"ok\",\"result\":\"ok\",\"report\":{"
		"\"pin\":\"tang\",\"where\":\"http://a\",\"state\":\"recovered\",\"ms\":1,\"advertisement\":"
		"\"current\"}},"
		"{\"token\":1,\"type\":\"cotter-\\u001bx\",\"health\":\"due\",\"result\":\"ok\",\"report\":{"
		"\"pin\":\"tang\",\"where\":\"http://a\",\"state\":\"recovered\",\"ms\":1,\"advertisement\":"
		"\"changed\",\"advertisement_cause\":\"o\\u0007dd\"}},"
		"{\"token\":2,\"type\":\"cotter-tang\",\"health\":\"failing\",\"result\":\"ok\",\"report\":{"
		"\"pin\":\"tang\",\"state\":\"recovered\",\"ms\":1}},"
		"{\"token\":3,\"type\":\"cotter-sss\",\"health\":\"failing\",\"result\":\"ok\",\"report\":{"
		"\"pin\":\"sss\",\"state\":\"recovered\",\"threshold\":1,\"shares\":[{\"pin\":\"tpm2\","
		"\"state\":\"failed\",\"ms\":2,\"cause\":\"why\"}]}},"
		"{\"token\":4,\"type\":\"cotter-sss\",\"health\":\"failed\",\"result\":\"failed\",\"cause\":"
		"\"all of it\",\"report\":{\"pin\":\"sss\",\"state\":\"failed\",\"cause\":\"none came\","
		"\"threshold\":1,\"shares\":[{\"pin\":\"tpm2\",\"state\":\"failed\",\"ms\":2,\"cause\":"
		"\"why\"}]}},"
		"{\"token\":5,\"type\":\"cotter-tpm2\",\"health\":\"ok\",\"result\":\"early\",\"cause\":\"no\","
		"\"report\":{\"pin\":\"tpm2\",\"state\":\"failed\",\"ms\":2,\"cause\":\"no\",\"health\":"
		"\"early\"}},"
		"{\"token\":6,\"type\":\"cotter-tang\",\"health\":\"failed\",\"result\":\"failed\",\"cause\":"
		"\"malformed\"},"
		"{\"token\":7,\"type\":\"cotter-tang\",\"health\":\"orphaned\",\"result\":\"failed\","
		"\"cause\":\"no keyslot\"}]}";
	static const char well[] = "token 0 (cotter-tang): opens the volume\n"
				   "  tang http://a: recovered after 1 ms; advertisement current\n";
	static const char unwell[] =
		"token 1 (cotter-?x): opens the volume; its renewal is due\n"
		"  tang http://a: recovered after 1 ms; advertisement changed: o?dd\n"
		"token 2 (cotter-tang): opens the volume; its server's keys cannot be verified\n"
		"  tang: recovered after 1 ms\n"
		"token 3 (cotter-sss): opens the volume; a part of it fails\n"
		"  tpm2: failed after 2 ms: why\n"
		"token 4 (cotter-sss): does not open the volume: none came\n"
		"  tpm2: failed after 2 ms: why\n" UNVERIFIED;
	static const char early[] =
		"token 5 (cotter-tpm2): holds only before switch-root\n"
		"  tpm2: failed after 2 ms: no; holds only before switch-root\n" UNVERIFIED;
	static const char broken[] = "token 6 (cotter-tang): does not open the volume: malformed\n"
				     "token 7 (cotter-tang): is left over: no keyslot\n";
	char want[2048];

	(void)state;
	(void)snprintf(want, sizeof(want), "%s%s%s%s", well, unwell, early, broken);
	assert_string_equal(reported(text, false), want);
	(void)snprintf(want, sizeof(want), "%s%s", unwell, broken);
	assert_string_equal(reported(text, true), want);
	assert_string_equal(reported("{}", false), "");
}

static void test_explain(void **state)
{
	CLEANUP_JSON json_t *result = json_of(
		"{\"explanations\":[{\"policy\":\"1 of (...)\",\"tree\":{\"pin\":\"sss\"," SHARES
		"},\"alone\":[],\"needed\":[],\"warnings\":[\"one\",\"t\\u001bwo\"]},{\"token\":3,"
		"\"tree\":{\"pin\":\"tang\",\"url\":\"b\"},\"warnings\":[]}]}");
	struct capture capture = capture_begin(STDOUT_FILENO);

	(void)state;
	table_explain(result);
	assert_string_equal(capture_end(&capture),
			    "The volume would open with\n"
			    "  any 1 of these 2:\n"
			    "    the Tang server http://?a\n"
			    "    a part (unknown) that cannot be used here: it is odd\n"
			    "warning: one\n"
			    "warning: t?wo\n"
			    "policy: 1 of (...)\n"
			    "Token 3 opens the volume with\n"
			    "  the Tang server b\n");
}

/* What one may want to copy is never cut, also where a character stands at the seam. */
static void test_explain_long(void **state)
{
	CLEANUP_JSON json_t *result = json_of("{\"explanations\":[{\"token\":1,\"tree\":{}}]}");
	static char policy[5000];
	struct capture capture;
	const char *text;
	size_t n = 0;

	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	for (size_t i = 0; i + 4 < sizeof(policy); i += 4)
		n += (size_t)snprintf(policy + n, sizeof(policy) - n, i % 8 ? "金x" : "ü,");
	assert_int_equal(
		json_object_set_new(json_array_get(json_object_get(result, "explanations"), 0),
				    "policy", json_string(policy)),
		0);
	capture = capture_begin(STDOUT_FILENO);
	table_explain(result);
	text = capture_end(&capture);
	assert_non_null(strstr(text, "policy: "));
	assert_memory_equal(strstr(text, "policy: ") + 8, policy, n);
	assert_non_null(setlocale(LC_CTYPE, "C"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),         cmocka_unit_test(test_list_shared),
		cmocka_unit_test(test_ascii),        cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_long),         cmocka_unit_test(test_test),
		cmocka_unit_test(test_list_policy),  cmocka_unit_test(test_test_policy),
		cmocka_unit_test(test_report),       cmocka_unit_test(test_explain),
		cmocka_unit_test(test_explain_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
