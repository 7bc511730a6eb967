/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The proof runs this very program again. Here that is the test, which then does what the name of
 * its device says: "exit N TEXT" writes the text and ends so.
 */
#include "enroll/proof.h"

#include "enroll/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { FLOOD = 64 * 1024, TOKEN = 7 };

/* Whether no held signal is blocked, no secret's stream is there, and stderr goes nowhere. */
static int fresh(void)
{
	sigset_t mask;
	struct stat in, err, null;

	if (sigprocmask(SIG_SETMASK, NULL, &mask) < 0 || stat("/dev/null", &null) < 0 ||
	    fstat(STDIN_FILENO, &in) < 0 || fstat(STDERR_FILENO, &err) < 0)
		return 1;
	if (sigismember(&mask, SIGTERM) || sigismember(&mask, SIGINT))
		return 2;
	return in.st_rdev == null.st_rdev && err.st_rdev == null.st_rdev ? 0 : 3;
}

static int show_arguments(int argc, char **argv)
{
	printf("{\"errors\":[\"");
	for (int i = 0; i < argc; i++)
		printf("%s%s", i > 0 ? " " : "", argv[i]);
	printf("\"]}\n");
	return EXIT_CODE_BROKEN;
}

/* What came through standard input, to its end. */
static int show_pin(void)
{
	char text[1024];
	ssize_t n = read(STDIN_FILENO, text, sizeof(text));

	printf("{\"errors\":[\"%.*s, then %zd\"]}\n", (int)n, text, read(STDIN_FILENO, text, 1));
	return EXIT_CODE_BROKEN;
}

static int play(int argc, char **argv)
{
	const char *device = argv[argc - 1];

	if (strcmp(device, "fresh") == 0)
		return fresh();
	if (strcmp(device, "arguments") == 0)
		return show_arguments(argc, argv);
	if (strcmp(device, "PIN") == 0)
		return show_pin();
	if (strcmp(device, "killed") == 0)
		return raise(SIGKILL);
	if (strcmp(device, "hangs") == 0)
		return pause();
	for (int i = 0; strcmp(device, "flood") == 0 && i < FLOOD; i++)
		putchar('x');
	if (strncmp(device, "exit ", 5) == 0) {
		printf("%s", device + 7);
		return device[5] - '0';
	}
	return 0;
}

static char why[LOG_LINE_MAX];
static struct ref user_pin; /* of the next proof */

static int prove(const char *device)
{
	const struct options options = {.device = device};
	struct signals held;
	int r;

	(void)snprintf(why, sizeof(why), "untouched");
	signals_hold(&held, false);
	r = proof_run(&options, TOKEN, user_pin, &held, why);
	signals_release(&held);
	return r;
}

static void test_verdicts(void **state)
{
	static const struct {
		const char *device;
		int want;
		const char *why;
	} cases[] = {
		{"exit 0 {}", 0, "untouched"},
		{"exit 0 no JSON", 0, "untouched"},
		{"fresh", 0, "untouched"},
		{"exit 3 {\"tokens\":[{\"cause\":\"no answer\"}]}", -EAGAIN, "no answer"},
		{"exit 3 {\"tokens\":[{\"cause\":\"a\"},{\"cause\":\"b\"}],\"errors\":[\"c\"]}",
		 -EAGAIN, "a"},
		{"exit 4 {\"tokens\":[{\"cause\":\"another key\"}]}", -EKEYREJECTED, "another key"},
		{"exit 1 {\"errors\":[\"not there\",\"x\"]}", -EKEYREJECTED, "not there"},
		{"exit 1 {\"tokens\":[],\"errors\":[]}", -EKEYREJECTED, "no cause was given"},
		{"exit 1 {\"tokens\":[{\"cause\":1}]}", -EKEYREJECTED, "no cause was given"},
		{"exit 2 no JSON", -EKEYREJECTED, "no cause was given"},
		{"exit 3 ", -EAGAIN, "no cause was given"},
		{"killed", -EIO, "the process that should prove it ended with signal 9"},
		{"flood", -EIO, "Input/output error"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = prove(cases[i].device);

		if (r != cases[i].want || strcmp(why, cases[i].why) != 0)
			fail_msg("%s: %d, \"%s\"", cases[i].device, r, why);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no process is left behind */
}

static void test_arguments(void **state)
{
	struct options options = {.device = "arguments"};
	struct signals held;

	(void)state;
	signals_hold(&held, false);
	assert_int_equal(proof_run(&options, TOKEN, user_pin, &held, why), -EKEYREJECTED);
	assert_string_equal(
		why, "cotter-enroll --test --proof --json=short --quiet --token-id=7 -- arguments");
	options.header = "a header";
	assert_int_equal(proof_run(&options, 31, user_pin, &held, why), -EKEYREJECTED);
	assert_string_equal(why, "cotter-enroll --test --proof --json=short --quiet --token-id=31 "
				 "--header=a header -- arguments");
	signals_release(&held);
}

/* It goes through a pipe, and nowhere else. */
static void test_user_pin(void **state)
{
	static const uint8_t long_pin[513] = {0};

	(void)state;
	user_pin = ref_str("12 34");
	assert_int_equal(prove("PIN"), -EKEYREJECTED);
	assert_string_equal(why, "12 34, then 0");
	assert_int_equal(prove("arguments"), -EKEYREJECTED);
	assert_null(strstr(why, "12 34"));

	user_pin = (struct ref){long_pin, sizeof(long_pin)};
	assert_int_equal(prove("PIN"), -EIO);
	assert_non_null(strstr(why, "could not be started"));
	user_pin = (struct ref){0};
}

static void on_signal(int number)
{
	(void)number;
}

/* It is not waited for. */
static void test_interrupted(void **state)
{
	const struct sigaction action = {.sa_handler = on_signal};
	const struct options options = {.device = "hangs"};
	struct sigaction before;
	struct signals held;
	int r;

	(void)state;
	assert_int_equal(sigaction(SIGTERM, &action, &before), 0);
	signals_hold(&held, false);
	(void)raise(SIGTERM);
	r = proof_run(&options, TOKEN, user_pin, &held, why);
	signals_release(&held);
	assert_int_equal(sigaction(SIGTERM, &before, NULL), 0);
	assert_int_equal(r, -EINTR);
	assert_string_equal(why, "interrupted");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* No room for its arguments, no file number for its answer. */
static void test_not_started(void **state)
{
	static char device[256 * 1024];
	struct rlimit before, none;
	int r;

	(void)state;
	memset(device, 'x', sizeof(device) - 1);
	assert_int_equal(prove(device), -EIO);
	assert_non_null(strstr(why, "could not be started: Argument list too long"));

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = STDERR_FILENO + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = prove("fresh");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EIO);
	assert_non_null(strstr(why, "could not be started: Too many open files"));
}

/* Where a parent had it so, the kernel does not keep how children end. */
static void test_not_waited_for(void **state)
{
	int r;

	(void)state;
	(void)signal(SIGCHLD, SIG_IGN);
	r = prove("fresh");
	(void)signal(SIGCHLD, SIG_DFL);
	assert_int_equal(r, -EIO);
	assert_non_null(strstr(why, "was lost: No child processes"));
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),       cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_interrupted),    cmocka_unit_test(test_not_started),
		cmocka_unit_test(test_not_waited_for), cmocka_unit_test(test_user_pin),
	};

	if (strcmp(argv[0], "cotter-enroll") == 0)
		return play(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
