/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages on stderr, results on stdout, and a stdout that takes nothing. */
#include "enroll/output.h"

#include "tests/unit/capture.h"
#include "tests/unit/vectors/jose.h"

static struct output out;

static int begin(void **state)
{
	(void)state;
	out = (struct output){0};
	return output_init(&out);
}

static int end(void **state)
{
	(void)state;
	output_done(&out);
	output_done(&out);
	return out.json || out.errors || out.results;
}

static void add(const char *name, const char *value)
{
	assert_int_equal(json_object_set_new(out.json, name, json_of(value)), 0);
}

/* What output_result() writes to stdout. */
static const char *result(const struct options *options, bool ok)
{
	struct capture capture = capture_begin(STDOUT_FILENO);
	int r = output_result(&out, options, ok);
	const char *text = capture_end(&capture);

	assert_int_equal(r, 0);
	return text;
}

static void test_lines(void **state)
{
	struct capture errors = capture_begin(STDERR_FILENO);
	CLEANUP_JSON json_t *want = json_of("[\"cause 1\",\"cause ?[0m\"]");
	const char *text;

	(void)state;
	output_say(&out, "said %d", 1);
	output_warn("warned %s", "of \033");
	(void)log_err(&out.log, -EIO, "cause %d", 1);
	(void)log_dbg(&out.log, -EIO, "a detail");
	out.quiet = true;
	output_say(&out, "not said");
	output_warn("warned %s", "again");
	(void)log_err(&out.log, -EIO, "cause %s", "\033[0m");
	text = capture_end(&errors);

	assert_string_equal(text, "cotter-enroll: said 1\n"
				  "cotter-enroll: warned of ?\n"
				  "cotter-enroll: cause 1\n"
				  "cotter-enroll: warned again\n"
				  "cotter-enroll: cause ?[0m\n");
	assert_true(json_equal(out.errors, want));
}

/* A failure that nobody told of, which is for want of memory. */
static void test_explain(void **state)
{
	struct capture errors = capture_begin(STDERR_FILENO);
	const char *text;

	(void)state;
	output_say(&out, "removed one");
	output_explain(&out);
	output_explain(&out);
	assert_int_equal(output_begin(&out, "/dev/one"), 0);
	(void)log_err(&out.log, 0, "a cause");
	output_explain(&out);
	assert_int_equal(output_begin(&out, "/dev/two"), 0);
	add("tokens", "[1]"); /* of --test, in a table of their own */
	output_explain(&out);
	text = capture_end(&errors);

	assert_string_equal(text,
			    "cotter-enroll: removed one\n"
			    "cotter-enroll: memory is short, or a library failed and did not say "
			    "why; --list shows what was done\n"
			    "cotter-enroll: /dev/one: a cause\n");
	output_done(&out);
	assert_int_equal(output_init(&out), 0);
}

static void test_long_line(void **state)
{
	struct capture errors = capture_begin(STDERR_FILENO);
	char words[4 * LOG_LINE_MAX];
	const char *text;

	(void)state;
	memset(words, 'x', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	output_warn("%s", words);
	text = capture_end(&errors);
	assert_int_equal(strlen(text), strlen("cotter-enroll: \n") + LOG_LINE_MAX - 1);
}

static void test_json(void **state)
{
	struct options options = {
		.verb = VERB_WIPE, .form = OUTPUT_JSON_SHORT, .device = "disk", .header = "head"};
	static const char *const names[] = {"list", "test", "report", "wipe", "enroll"};

	(void)state;
	add("wiped", "{\"keyslots\":[1]}");
	assert_string_equal(result(&options, true),
			    "{\"verb\":\"wipe\",\"device\":\"disk\",\"header\":\"head\","
			    "\"result\":\"ok\",\"wiped\":{\"keyslots\":[1]}}\n");

	options.header = NULL;
	(void)json_array_append_new(out.errors, json_string("why"));
	assert_string_equal(result(&options, false),
			    "{\"verb\":\"wipe\",\"device\":\"disk\",\"result\":\"failed\","
			    "\"errors\":[\"why\"],\"wiped\":{\"keyslots\":[1]}}\n");

	options.form = OUTPUT_JSON_PRETTY;
	assert_string_equal(result(&options, true), "{\n"
						    "    \"verb\": \"wipe\",\n"
						    "    \"device\": \"disk\",\n"
						    "    \"result\": \"ok\",\n"
						    "    \"errors\": [\n"
						    "        \"why\"\n"
						    "    ],\n"
						    "    \"wiped\": {\n"
						    "        \"keyslots\": [\n"
						    "            1\n"
						    "        ]\n"
						    "    }\n"
						    "}\n");

	for (options.verb = VERB_LIST; options.verb <= VERB_ENROLL; options.verb++) {
		CLEANUP_JSON json_t *whole = json_of(result(&options, true));

		assert_string_equal(js_str(whole, "verb"), names[options.verb]);
	}
}

/* JSON is UTF-8, file names are whatever they are; numbers are no longer than they need be. */
static void test_json_values(void **state)
{
	struct options options = {.form = OUTPUT_JSON_SHORT, .device = "a\xff\xc3\xa4"};

	(void)state;
	assert_string_equal(result(&options, true),
			    "{\"verb\":\"list\",\"device\":\"a???\",\"result\":\"ok\"}\n");
	options.device = "a\xc3\xa4";
	add("milliseconds", "12.3456789");
	assert_string_equal(
		result(&options, true),
		"{\"verb\":\"list\",\"device\":\"a\xc3\xa4\",\"result\":\"ok\",\"milliseconds\":"
		"12.3457}\n");
}

/* As text, a list only where it was read, the tests that were made in any case. */
static void test_text(void **state)
{
	struct options options = {.verb = VERB_LIST, .device = "disk"};

	(void)state;
	add("tokens", "[{\"token\":1,\"type\":\"t\",\"keyslots\":[],\"result\":\"ok\","
		      "\"state\":\"ok\",\"milliseconds\":1.0}]");
	assert_non_null(strstr(result(&options, true), "SLOT"));
	assert_string_equal(result(&options, false), "");
	options.verb = VERB_TEST;
	assert_non_null(strstr(result(&options, true), "token 1 (t): opens the volume"));
	assert_non_null(strstr(result(&options, false), "token 1 (t): opens the volume"));
	out.quiet = true;
	assert_string_equal(result(&options, true), "");
	options.verb = VERB_WIPE;
	assert_string_equal(result(&options, true), "");
	options.verb = VERB_ENROLL;
	assert_string_equal(result(&options, true), "");
}

/* Of several volumes each line and table says which, and JSON is one array. */
static void test_several(void **state)
{
	struct options options = {.verb = VERB_TEST, .form = OUTPUT_JSON_SHORT};
	static const char *const names[] = {"a\033", "b", "c"};
	struct capture errors = capture_begin(STDERR_FILENO);
	struct capture capture = capture_begin(STDOUT_FILENO);
	int r = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		options.device = names[i];
		r |= output_begin(&out, names[i]);
		if (i == 1)
			(void)log_err(&out.log, -EIO, "cause %zu", i);
		output_say(&out, "said");
		r |= json_object_set_new(out.json, "n", json_integer((json_int_t)i));
		r |= output_result(&out, &options, i != 1);
	}
	r |= output_end(&out, &options);
	output_warn("all");
	assert_string_equal(
		capture_end(&capture),
		"[{\"verb\":\"test\",\"device\":\"a\\u001B\",\"result\":\"ok\",\"n\":0},"
		"{\"verb\":\"test\",\"device\":\"b\",\"result\":\"failed\","
		"\"errors\":[\"cause 1\"],\"n\":1},"
		"{\"verb\":\"test\",\"device\":\"c\",\"result\":\"ok\",\"n\":2}]\n");
	assert_string_equal(capture_end(&errors), "cotter-enroll: a?: said\n"
						  "cotter-enroll: b: cause 1\n"
						  "cotter-enroll: b: said\n"
						  "cotter-enroll: c: said\n"
						  "cotter-enroll: all\n");
	assert_int_equal(r, 0);
}

static const char *several_tested(const char *const *tokens, size_t n, bool ok)
{
	const struct options options = {.verb = VERB_TEST};
	struct capture capture = capture_begin(STDOUT_FILENO);

	for (size_t i = 0; i < n; i++) {
		(void)!output_begin(&out, i == 0 ? "a\033\xff" : "b");
		(void)json_object_set_new(out.json, "tokens",
					  json_loads(tokens[i], JSON_DECODE_ANY, NULL));
		(void)!output_result(&out, &options, ok);
	}
	(void)!output_end(&out, &options);
	return capture_end(&capture);
}

static void test_headings(void **state)
{
	static const char good[] = "[{\"token\":1,\"type\":\"t\",\"keyslots\":[],\"result\":\"ok\","
				   "\"milliseconds\":1.0}]";
	static const char *const two[] = {good, good}, *const one[] = {"[]", good};

	(void)state;
	assert_string_equal(several_tested(two, 2, true),
			    "a??:\ntoken 1 (t): opens the volume after 1.0 ms\n\n"
			    "b:\ntoken 1 (t): opens the volume after 1.0 ms\n");
	out.headed = false;
	assert_string_equal(several_tested(one, 2, false),
			    "b:\ntoken 1 (t): opens the volume after 1.0 ms\n");
	out.quiet = true;
	assert_string_equal(several_tested(two, 2, true), "");
}

/* Where there was none. */
static void test_none(void **state)
{
	struct options options = {.verb = VERB_LIST, .form = OUTPUT_JSON_SHORT};
	struct capture capture = capture_begin(STDOUT_FILENO);
	int r = output_end(&out, &options);

	(void)state;
	options.form = OUTPUT_TEXT;
	r |= output_end(&out, &options);
	assert_string_equal(capture_end(&capture), "[]\n");
	assert_int_equal(r, 0);
}

static void test_full(void **state)
{
	static const enum output_form forms[] = {OUTPUT_TEXT, OUTPUT_JSON_SHORT,
						 OUTPUT_JSON_PRETTY};
	const struct options list = {.verb = VERB_LIST, .device = "disk"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct options options = list;
		struct capture capture = capture_begin(STDOUT_FILENO);
		struct capture errors = capture_begin(STDERR_FILENO);
		int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
		const char *text;
		int r;

		options.form = forms[i];
		(void)dup2(full, STDOUT_FILENO);
		r = output_result(&out, &options, true);
		(void)close(full);
		clearerr(stdout);
		text = capture_end(&errors);
		(void)capture_end(&capture);

		assert_int_equal(r, -EIO);
		assert_string_equal(text, "cotter-enroll: the result could not be written to "
					  "standard output\n");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, begin, end),
		cmocka_unit_test_setup_teardown(test_explain, begin, end),
		cmocka_unit_test_setup_teardown(test_long_line, begin, end),
		cmocka_unit_test_setup_teardown(test_json, begin, end),
		cmocka_unit_test_setup_teardown(test_json_values, begin, end),
		cmocka_unit_test_setup_teardown(test_text, begin, end),
		cmocka_unit_test_setup_teardown(test_several, begin, end),
		cmocka_unit_test_setup_teardown(test_headings, begin, end),
		cmocka_unit_test_setup_teardown(test_none, begin, end),
		cmocka_unit_test_setup_teardown(test_full, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
