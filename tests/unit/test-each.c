/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each volume has its turn, and the worst code counts. */
#include "enroll/each.h"

#include "tests/unit/capture.h"
#include "tests/unit/opened.h"
#include "tests/unit/root.h"

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
	return 0;
}

static void test_worse(void **state)
{
	static const int order[] = {0, 10, 11, 3, 12, 4, 1, 99};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		for (size_t j = 0; j < ARRAY_SIZE(order); j++)
			assert_int_equal(
				(int)each_worse((enum exit_code)order[i], (enum exit_code)order[j]),
				order[i > j ? i : j]);
}

/* Its code is the device's name; it changes what it was given. */
static enum exit_code say_name(const struct options *options, struct output *to)
{
	enum exit_code code = (enum exit_code)strtol(options->device, NULL, 10);

	assert_null(options->header);
	assert_int_equal(json_object_size(to->json), 0);
	assert_int_equal(json_array_size(to->errors), 0);
	if (options->config) {
		assert_int_equal(json_object_size(options->config), 0);
		(void)json_object_set_new(options->config, "changed", json_true());
	}
	if (code != EXIT_CODE_OK)
		(void)log_err(&to->log, -EIO, "no");
	return code;
}

static void test_named(void **state)
{
	static char *const devices[] = {(char *)"0", (char *)"3", (char *)"4", (char *)"0", NULL};
	CLEANUP_JSON json_t *config = json_object();
	const struct options options = {
		.verb = VERB_TEST,
		.form = OUTPUT_JSON_SHORT,
		.devices = devices,
		.n_devices = 4,
		.config = config,
	};
	struct capture errors = capture_begin(STDERR_FILENO);
	struct capture capture = capture_begin(STDOUT_FILENO);
	enum exit_code code = each_run("/nonexistent", &options, say_name, &out);

	(void)state;
	assert_string_equal(
		capture_end(&capture),
		"[{\"verb\":\"test\",\"device\":\"0\",\"result\":\"ok\"},"
		"{\"verb\":\"test\",\"device\":\"3\",\"result\":\"failed\",\"errors\":[\"no\"]},"
		"{\"verb\":\"test\",\"device\":\"4\",\"result\":\"failed\",\"errors\":[\"no\"]},"
		"{\"verb\":\"test\",\"device\":\"0\",\"result\":\"ok\"}]\n");
	assert_string_equal(capture_end(&errors), "cotter-enroll: 3: no\ncotter-enroll: 4: no\n");
	assert_int_equal((int)code, EXIT_CODE_BROKEN);
	assert_int_equal(json_object_size(config), 0);
}

static enum exit_code say_place(const struct options *options, struct output *to)
{
	output_say(to, "header %s", options->header ? "elsewhere" : "here");
	return EXIT_CODE_OK;
}

/* Runs it with --all; what was said, with the root taken out. */
static const char *said(enum verb verb, enum exit_code want)
{
	const struct options options = {.verb = verb, .all = true};
	struct capture tables = capture_begin(STDOUT_FILENO);
	struct capture errors = capture_begin(STDERR_FILENO);
	enum exit_code code = each_run(root, &options, say_place, &out);
	char *text = (char *)(uintptr_t)capture_end(&errors), *found;

	(void)capture_end(&tables);
	assert_int_equal((int)code, (int)want);
	while ((found = strstr(text, root)))
		memmove(found, found + strlen(root), strlen(found + strlen(root)) + 1);
	return text;
}

static void test_all(void **state)
{
	static struct opened o;

	(void)state;
	opened_begin(&o);
	put("/dev/away", "");
	assert_int_equal(unlink(under("/dev/away")), 0);
	assert_int_equal(symlink(o.volume.path, under("/dev/bare")), 0);
	put("/etc/crypttab", "bare /dev/bare\naway /dev/away\nswap /etc/crypttab\n"
			     "headless /dev/x none header=/x:LABEL=y\n");
	assert_string_equal(
		said(VERB_TEST, EXIT_CODE_OK),
		"cotter-enroll: bare (/dev/bare) has no cotter token and is passed over\n"
		"cotter-enroll: away is passed over: /dev/away is not there\n"
		"cotter-enroll: headless (/dev/x) is passed over: where its header is, crypttab "
		"does not say; run it with --header=\n"
		"cotter-enroll: neither crypttab nor what is open has a LUKS2 volume for this\n");
	out.quiet = true;
	assert_string_equal(said(VERB_TEST, EXIT_CODE_OK), "");
	out.quiet = false;

	put("/etc/crypttab", "bare /dev/bare\nswap /etc/crypttab\n");
	assert_string_equal(said(VERB_LIST, EXIT_CODE_OK),
			    "cotter-enroll: /dev/bare: header here\n");
	assert_int_equal(luks_setup(false, NULL), 0);
	add_local(o.luks, 0, "{}", 0, "secret");
	put("/etc/crypttab", "bound /etc/crypttab none header=/dev/bare\n");
	assert_string_equal(said(VERB_TEST, EXIT_CODE_OK),
			    "cotter-enroll: /etc/crypttab: header elsewhere\n");

	assert_int_equal(unlink(under("/etc/crypttab")), 0);
	assert_int_equal(mkdir(under("/etc/crypttab"), 0700), 0);
	assert_string_equal(said(VERB_TEST, EXIT_CODE_FAILED),
			    "cotter-enroll: /etc/crypttab cannot be read: Input/output error\n");
	opened_end(&o);
}

static int make_root(void **state)
{
	(void)state;
	return root_begin();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worse),
		cmocka_unit_test_setup_teardown(test_named, begin, end),
		cmocka_unit_test_setup_teardown(test_all, begin, end),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
