/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of cotter-tang-keys. */
#include "tang/server/tool-options.h"

#include "tests/unit/capture.h"
#include "tests/unit/lines.h"

enum { WORDS_MAX = 8 };

/* Parses words with spaces between. */
static int parse(const char *text, const struct log *log, struct tool_options *ret)
{
	static char copy[256];
	char *argv[WORDS_MAX + 1] = {(char[]){"cotter-tang-keys"}}, *save = NULL;
	int argc = 1;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	return tool_options_parse(argc, argv, log, ret);
}

static struct tool_options good(const char *text)
{
	struct tool_options options = {0};
	struct lines lines;

	expect(text, parse(text, lines_begin(&lines), &options), 0);
	assert_told(text, &lines, NULL);
	return options;
}

static void test_verbs(void **state)
{
	static const struct {
		const char *text;
		enum tool_verb verb;
	} cases[] = {
		{"generate", TOOL_GENERATE}, {"rotate", TOOL_ROTATE},
		{"list", TOOL_LIST},         {"show", TOOL_SHOW},
		{"prune", TOOL_PRUNE},       {"--help", TOOL_HELP},
		{"-h", TOOL_HELP},           {"--version", TOOL_VERSION},
		{"-V", TOOL_VERSION},        {"generate --help", TOOL_HELP},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(tool_options_done) struct tool_options options = good(cases[i].text);

		expect(cases[i].text, (int)options.verb, (int)cases[i].verb);
		assert_string_equal(options.folder, "/var/lib/cotter-tangd");
		assert_string_equal(options.curve->name, "P-521");
		assert_int_equal(options.days, 30);
	}
}

static void test_options(void **state)
{
	struct tool_options options = good("--add generate --curve=P-256 /keys");

	(void)state;
	assert_true(options.add);
	assert_string_equal(options.folder, "/keys");
	assert_string_equal(options.curve->name, "P-256");
	tool_options_done(&options);

	options = good("prune --unused-for 7 --force --usage=a --usage b /keys");
	assert_int_equal(options.days, 7);
	assert_true(options.force);
	assert_int_equal(options.n_usage, 2);
	assert_string_equal(options.usage[0], "a");
	assert_string_equal(options.usage[1], "b");
	tool_options_done(&options);

	options = good("list --json");
	assert_true(options.json);
	tool_options_done(&options);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{"", "Say what to do"},
		{"remove", "remove is none of"},
		{"list /a /b", "/b is one argument too many"},
		{"generate --curve=P-224", "none of P-256, P-384 and P-521"},
		{"list --curve=P-256", "--curve is not for list"},
		{"rotate --add", "--add is not for rotate"},
		{"show --json", "--json is not for show"},
		{"generate --force", "--force is not for generate"},
		{"show --usage=a", "--usage is not for show"},
		{"prune --unused-for=", "no number of days"},
		{"prune --unused-for=-1", "no number of days"},
		{"prune --unused-for=1d", "no number of days"},
		{"prune --unused-for=99999999999999999999", "no number of days"},
		{"prune --unused-for=100001", "no number of days"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tool_options got;
		struct lines lines;

		memset(&got, UNTOUCHED, sizeof(got));
		expect(cases[i].text, parse(cases[i].text, lines_begin(&lines), &got), -EINVAL);
		assert_told(cases[i].text, &lines, cases[i].told);
		assert_untouched(cases[i].text, &got, sizeof(got));
	}
}

/* getopt_long() says these itself. */
static void test_unknown(void **state)
{
	static const char *const bad[] = {"list --frobnicate", "list -x", "prune --usage"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct capture capture = capture_begin(STDERR_FILENO);
		struct tool_options got = {0};
		int r = parse(bad[i], NULL, &got);
		const char *text = capture_end(&capture);

		expect(bad[i], r, -EINVAL);
		assert_non_null(strstr(text, "cotter-tang-keys: "));
	}
}

/* Every verb and option is in the help. */
static void test_help(void **state)
{
	static const char *const words[] = {
		"  generate ",   "  rotate ", "  list ",    "  show ",    "  prune ",
		"--add ",        "--curve=",  "--json ",    "--usage=",   "--force ",
		"--unused-for=", "--help ",   "--version ", "usage.json", "/var/lib/cotter-tangd",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strstr(tool_help, words[i]))
			fail_msg("%s", words[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verbs), cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad),   cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
