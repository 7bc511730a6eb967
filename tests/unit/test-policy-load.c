/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --policy takes: JSON, files, texts; and the files that policies name. */
#include "enroll/policy-load.h"

#include "tests/unit/lines.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lines lines;

#define KEY "-----BEGIN PUBLIC KEY-----\\nAA\\n-----END PUBLIC KEY-----\\n"

static int begin(void **state)
{
	static char dir[] = "/tmp/cotter-policy-XXXXXX";

	*state = dir;
	return mkdtemp(dir) && chdir(dir) == 0 && mkdir("tang", 0700) == 0 ? 0 : -1;
}

static int end(void **state)
{
	static const char *const files[] = {"text", "json", "bad", "long", "key", "tang(x)"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlink(files[i]);
	return rmdir("tang") == 0 && chdir("/") == 0 && rmdir(*state) == 0 ? 0 : -1;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "we");

	assert_non_null(f);
	(void)fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void test_load(void **state)
{
	static const struct {
		const char *value, *pin, *config; /* %s: the working folder */
	} cases[] = {
		{"tang(a)", "tang", "{\"url\":\"a\"}"},
		{"{\"pins\":{\"tang\":{\"url\":\"a\"}}}", "sss",
		 "{\"pins\":{\"tang\":{\"url\":\"a\"}}}"},
		{" \n{\"t\":1,\"pins\":{\"tang\":[{\"url\":\"a\"}]}}", "sss",
		 "{\"t\":1,\"pins\":{\"tang\":[{\"url\":\"a\"}]}}"},
		{"text", "sss", "{\"t\":1,\"pins\":{\"tang\":[{\"url\":\"b\"},{\"url\":\"c\"}]}}"},
		{"./text", "sss",
		 "{\"t\":1,\"pins\":{\"tang\":[{\"url\":\"b\"},{\"url\":\"c\"}]}}"},
		{"json", "sss", "{\"pins\":{\"tpm2\":{}}}"},
		/* What has the name of a file is that file. */
		{"tang(x)", "tang", "{\"url\":\"file\"}"},

		{"tang(https://a, ca=key)", "tang", "{\"url\":\"https://a\",\"ca\":\"%s/key\"}"},
		{"tang(https://a, ca=/dev/null)", "tang",
		 "{\"url\":\"https://a\",\"ca\":\"/dev/null\"}"},
		{"tpm2(pubkey=key, signature=s, tcti=auto)", "tpm2",
		 "{\"pcrs\":\"7\",\"pubkey\":\"" KEY "\",\"signature\":\"%s/s\"}"},
		{"1 of (1 of (tpm2(pubkey=\"" KEY "\", signature=/s, tcti=device)))", "sss",
		 "{\"t\":1,\"pins\":{\"sss\":{\"t\":1,\"pins\":{\"tpm2\":{\"pcrs\":\"7\",\"pubkey\":"
		 "\"" KEY "\",\"signature\":\"/s\",\"tcti\":\"device\"}}}}}"},
	};
	char folder[PATH_MAX];

	(void)state;
	assert_non_null(getcwd(folder, sizeof(folder)));
	write_file("text", "1 of (tang(b),\n tang(c))\n");
	write_file("json", "\n{\"pins\": {\"tpm2\": {}}}\n");
	write_file("tang(x)", "tang(file)");
	write_file("key", "-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *config = NULL, *want = NULL;
		const char *percent = strstr(cases[i].config, "%s"), *pin;
		char text[PATH_MAX + 512];

		(void)snprintf(text, sizeof(text), "%.*s%s%s",
			       (int)(percent ? percent - cases[i].config : INT_MAX),
			       cases[i].config, percent ? folder : "", percent ? percent + 2 : "");
		want = json_of(text);
		expect(cases[i].value,
		       policy_load(cases[i].value, lines_begin(&lines), &pin, &config), 0);
		assert_told(cases[i].value, &lines, NULL);
		assert_string_equal(pin, cases[i].pin);
		if (!json_equal(config, want))
			fail_msg("%s is another configuration than %s", cases[i].value, text);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *value, *words;
	} cases[] = {
		{"missing", "at character 1: there is no pin \"missing\""},
		{"tang", "at character 1: tang needs its url"}, /* a folder is no policy */
		{"bad", "in line 2, character 6: behind a value in quotes"},
		{"long", "the policy file long cannot be read: File too large"},
		{"/dev/null", "at character 1: a pin"},
		{"/proc/self/mem", "the policy file /proc/self/mem cannot be read: Input/output"},
		{"{", "the policy begins with { but is not JSON"},
		{"{}{}", "the policy begins with { but is not JSON"},
		{"{\"t\":1,\"t\":1,\"pins\":{\"tpm2\":{}}}", "names a member twice"},
		{"{\"t\":1}", "the policy names no \"pins\""},
		{"{\"url\":\"a\"}", "the policy names no \"pins\""},
		{"tang(https://a, ca=/nonexistent)",
		 "the CA file /nonexistent cannot be read: No such file"},
		{"1 of (tpm2(pubkey=/nonexistent))",
		 "the policy key /nonexistent cannot be read: No such file"},
		{"tpm2(pubkey=/dev/zero)", "/dev/zero is not a public key in PEM form"},
	};

	(void)state;
	write_file("bad", "tang(\n \"a\" b)");
	write_file("long", "");
	assert_int_equal(truncate("long", POLICY_TEXT_MAX + 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *config = NULL;
		const char *pin = NULL;

		expect(cases[i].value,
		       policy_load(cases[i].value, lines_begin(&lines), &pin, &config), -EINVAL);
		assert_told(cases[i].value, &lines, cases[i].words);
		assert_null(config);
		assert_null(pin);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
