/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is given with --renew and --replace: what it becomes, and what does not go with them. */
#include "enroll/options-renewal.h"

#include "tests/unit/lines.h"

#include <errno.h>
#include <getopt.h>

#define THUMBPRINT "0aK-9_cCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA"

static struct lines lines;

static int parse(const char *line, struct options *ret)
{
	static char text[1024];
	static char program[] = "cotter-enroll";
	static char *argv[24]; /* the options borrow it */
	char *save = NULL;
	int n = 1;

	memset(argv, 0, sizeof(argv));
	argv[0] = program;
	(void)snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[n++] = word;
	assert_true(n < (int)ARRAY_SIZE(argv));
	optind = 0; /* getopt begins anew */
	return options_parse(n, argv, lines_begin(&lines), ret);
}

static struct options parsed(const char *line)
{
	struct options options = {0};

	expect(line, parse(line, &options), 0);
	assert_told(line, &lines, NULL);
	return options;
}

static void test_renew(void **state)
{
	struct options options = parsed("--renew disk");

	(void)state;
	assert_int_equal(options.verb, VERB_RENEW);
	assert_int_equal(options.token, OPTIONS_ANY);
	assert_false(options.force);
	assert_false(options.reseal);
	assert_int_equal(options.n_wishes, 0);
	options_done(&options);

	options = parsed("--renew=17 --force --reseal --unlock-token --pbkdf=argon2id disk");
	assert_int_equal(options.token, 17);
	assert_true(options.force && options.reseal && options.unlock_token);
	assert_string_equal(options.pbkdf, "argon2id");
	options_done(&options);
}

/* The options of a pin are about a leaf that is there: with its URL, or before any. */
static void test_wishes(void **state)
{
	struct options options = parsed("--renew --tang=http://a --tang-thumbprint=" THUMBPRINT
					" --tang=http://b --tang-advertisement=f disk");

	(void)state;
	assert_int_equal(options.verb, VERB_RENEW);
	assert_int_equal(options.n_wishes, 2);
	assert_string_equal(options.wishes[0].pin, "tang");
	assert_string_equal(options.wishes[0].texts[0], "http://a");
	assert_string_equal(options.wishes[0].texts[1], THUMBPRINT);
	assert_string_equal(options.wishes[1].texts[0], "http://b");
	assert_string_equal(options.wishes[1].texts[2], "f");
	options_done(&options);

	options = parsed("--renew --tang-thumbprint=" THUMBPRINT " --tpm2-pcrs= disk");
	assert_int_equal(options.n_wishes, 2);
	assert_null(options.wishes[0].texts[0]);
	assert_string_equal(options.wishes[0].texts[1], THUMBPRINT);
	assert_string_equal(options.wishes[1].pin, "tpm2");
	assert_string_equal(options.wishes[1].texts[1], "");
	options_done(&options);

	/* what stands before its URL belongs to it */
	options = parsed("--renew --tang-thumbprint=" THUMBPRINT " --tang=http://a disk");
	assert_int_equal(options.n_wishes, 1);
	assert_string_equal(options.wishes[0].texts[0], "http://a");
	assert_string_equal(options.wishes[0].texts[1], THUMBPRINT);
	options_done(&options);
}

static void test_replace(void **state)
{
	struct options options = parsed("--replace --tang=http://a disk");

	(void)state;
	assert_int_equal(options.verb, VERB_ENROLL);
	assert_true(options.replace);
	assert_int_equal(options.replaced, OPTIONS_ANY);
	options_done(&options);
	options = parsed("--replace=0 --force --tang=http://a disk");
	assert_int_equal(options.replaced, 0);
	assert_true(options.force);
	options_done(&options);
	options = parsed("--tang=http://a disk");
	assert_false(options.replace);
	options_done(&options);
}

static void test_errors(void **state)
{
	static const struct {
		const char *line, *words;
	} cases[] = {
		{"--renew", "no device or image is named"},
		{"--renew=32 disk", "--renew is a number from 0 to 31"},
		{"--renew=x disk", "--renew is a number from 0 to 31"},
		{"--renew --list disk", "--list changes nothing, so it excludes --renew"},
		{"--renew --label=x disk", "--renew keeps what a token is, so it excludes --label"},
		{"--renew --threshold=1 disk", "so it excludes --threshold"},
		{"--renew --policy=tang(a) disk", "so it excludes --policy"},
		{"--renew --key-slot=1 disk", "so it excludes --key-slot"},
		{"--renew --replace disk", "so it excludes --replace"},
		{"--renew --wipe-slot=1 disk", "--renew and --wipe-slot"},
		{"--renew --unlock-token --unlock-key-file=f disk", "exclude each other"},
		{"--renew --tang-thumbprint=x disk", "--tang-thumbprint is the thumbprint"},
		{"--renew --tpm2-with-pin=yes disk", "--renew seals to PCRs alone anew"},
		{"--renew --tpm2-device=auto disk", "--renew seals to PCRs alone anew"},
		{"--reseal disk", "--reseal goes with --renew"},
		{"--force disk", "--force goes with --renew, --replace or"},
		{"--force --tang=a disk", "--force goes with --renew, --replace or"},
		{"--replace disk", "--replace belongs to a new binding"},
		{"--replace=32 --tang=a disk", "--replace is a number from 0 to 31"},
		{"--replace --token-id=1 --tang=a disk", "--replace and --token-id exclude"},
		{"--replace --wipe-slot=1 --tang=a disk", "--replace and --wipe-slot exclude"},
		{"--tang-thumbprint=" THUMBPRINT " disk", "belongs to a new binding"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct options options = {0};

		expect(cases[i].line, parse(cases[i].line, &options), -EINVAL);
		assert_told(cases[i].line, &lines, cases[i].words);
		options_done(&options);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renew),
		cmocka_unit_test(test_wishes),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
