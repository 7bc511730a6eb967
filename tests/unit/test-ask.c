/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions at a terminal: what is read, what is shown, and how the terminal is left. */
#include "enroll/ask.h"

#include "tests/unit/terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define PROMPT   "Passphrase: "
#define QUESTION "Sure? "

enum { SECRET_MAX = 512, OTHER_SECRET = 200, LEFT_OVER };

static char wanted[1024]; /* the secret that ask_once() must get */

/* What is left in the terminal's queue would go to whatever program reads there next. */
static int ask_once(void)
{
	struct buf secret = {0};
	int r, waiting = 0;

	r = ask_secret(PROMPT, &secret);
	if (r == 0 && !ref_equal(buf_ref(&secret), ref_str(wanted)))
		return OTHER_SECRET;
	if (r < 0 && secret.p)
		return OTHER_SECRET;
	(void)ioctl(STDIN_FILENO, FIONREAD, &waiting);
	buf_done(&secret);
	return waiting > 0 ? LEFT_OVER : -r;
}

static int ask_yes_once(void)
{
	return ask_possible() ? -ask_yes(QUESTION) : OTHER_SECRET;
}

/* Starts ask_once() and waits for its prompt. */
static void start(struct terminal *t, const char *secret)
{
	(void)snprintf(wanted, sizeof(wanted), "%s", secret);
	terminal_start(t, ask_once);
	terminal_expect(t, PROMPT);
	assert_false(terminal_echoes(t));
}

static void test_secret(void **state)
{
	static const char *const secrets[] = {"", "secret", " with spaces ", "t\303\266n\351",
					      "ends in\\"};

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		struct terminal t;

		start(&t, secrets[i]);
		terminal_type(&t, secrets[i]);
		terminal_type(&t, "\n");
		assert_int_equal(terminal_end(&t), 0);
		assert_true(t.echoed);
		assert_string_equal(t.shown, PROMPT "\r\n");
	}
}

static void test_long(void **state)
{
	char secret[SECRET_MAX + 100] = "";
	struct terminal t;

	(void)state;
	memset(secret, 's', SECRET_MAX);
	start(&t, secret);
	terminal_type(&t, secret);
	terminal_type(&t, "\n");
	assert_int_equal(terminal_end(&t), 0);

	memset(secret, 's', sizeof(secret) - 1);
	start(&t, "");
	terminal_type(&t, secret);
	terminal_type(&t, "\n");
	assert_int_equal(terminal_end(&t), E2BIG);
	assert_true(t.echoed);
	assert_null(strchr(t.shown + t.seen, 's'));
}

static void test_end_of_input(void **state)
{
	struct terminal t;

	(void)state;
	start(&t, "");
	terminal_type(&t, "\004");
	assert_int_equal(terminal_end(&t), ECANCELED);
	assert_true(t.echoed);
	assert_string_equal(t.shown, PROMPT "\r\n");
}

/* The signal acts once the terminal is as it was. */
static void test_signals(void **state)
{
	static const struct {
		const char *typed;
		int sent, number;
	} cases[] = {
		{"half a secret\003", 0, SIGINT}, {"\034", 0, SIGQUIT},   {NULL, SIGTERM, SIGTERM},
		{NULL, SIGHUP, SIGHUP},           {NULL, SIGINT, SIGINT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct terminal t;

		start(&t, "");
		if (cases[i].typed)
			terminal_type(&t, cases[i].typed);
		else
			assert_int_equal(kill(t.child, cases[i].sent), 0);
		assert_int_equal(terminal_end(&t), -cases[i].number);
		assert_null(strstr(t.shown, "half"));
		assert_true(t.echoed);
	}
}

/* What is stopped must have a parent in its session that could continue it, as a shell would. */
static int stop_and_continue(void)
{
	pid_t child = fork(), self = getpid();
	int status = 0;

	if (child == 0) {
		(void)setpgid(0, 0);
		(void)signal(SIGTTOU, SIG_IGN);
		(void)tcsetpgrp(STDIN_FILENO, getpid());
		(void)signal(SIGTTOU, SIG_DFL);
		_exit(ask_once());
	}

	if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
		return OTHER_SECRET;
	(void)signal(SIGTTOU, SIG_IGN);
	(void)tcsetpgrp(STDIN_FILENO, self);
	if (write(STDOUT_FILENO, "stopped\n", 8) != 8 || getchar() != '\n')
		return OTHER_SECRET;
	(void)tcsetpgrp(STDIN_FILENO, child);
	(void)kill(child, SIGCONT);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return OTHER_SECRET;
	return WEXITSTATUS(status);
}

static void test_stop(void **state)
{
	struct terminal t;

	(void)state;
	(void)snprintf(wanted, sizeof(wanted), "second");
	terminal_start(&t, stop_and_continue);
	terminal_expect(&t, PROMPT);
	terminal_type(&t, "first\032");
	terminal_expect(&t, "stopped");
	assert_true(terminal_echoes(&t));
	terminal_type(&t, "\n");
	terminal_expect(&t, PROMPT);
	assert_false(terminal_echoes(&t));
	terminal_type(&t, "second\n");
	assert_int_equal(terminal_end(&t), 0);
	assert_null(strstr(t.shown, "first"));
	assert_null(strstr(t.shown, "second"));
}

/* Asks only once something was typed. */
static int ask_late(void)
{
	struct pollfd typed = {.fd = STDIN_FILENO, .events = POLLIN};

	(void)poll(&typed, 1, TERMINAL_PATIENCE_MS);
	return ask_once();
}

static void test_typed_ahead(void **state)
{
	struct terminal t;

	(void)state;
	(void)snprintf(wanted, sizeof(wanted), "the answer");
	terminal_start(&t, ask_late);
	terminal_type(&t, "typed ahead\n");
	terminal_expect(&t, PROMPT);
	terminal_type(&t, "the answer\n");
	assert_int_equal(terminal_end(&t), 0);
}

static int ask_without_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* A terminal that nobody has open has come to its end. */
	if (null < 0 || dup(STDIN_FILENO) < 0)
		return OTHER_SECRET;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
	return ask_once();
}

static void test_standard_streams(void **state)
{
	struct terminal t;

	(void)state;
	(void)snprintf(wanted, sizeof(wanted), "secret");
	terminal_start(&t, ask_without_streams);
	terminal_expect(&t, PROMPT);
	terminal_type(&t, "secret\n");
	assert_int_equal(terminal_end(&t), 0);
}

static void test_yes(void **state)
{
	static const struct {
		const char *answer;
		int want;
	} cases[] = {
		{"y\n", 0},           {"Y\n", 0},
		{"yes\n", 0},         {"\n", ECANCELED},
		{"n\n", ECANCELED},   {"no\n", ECANCELED},
		{"YES\n", ECANCELED}, {"yess\n", ECANCELED},
		{" y\n", ECANCELED},  {"\004", ECANCELED},
	};
	char text[SECRET_MAX + 100];
	struct terminal t;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		terminal_start(&t, ask_yes_once);
		terminal_expect(&t, QUESTION);
		assert_true(terminal_echoes(&t));
		terminal_type(&t, cases[i].answer);
		if (terminal_end(&t) != cases[i].want)
			fail_msg("\"%s\" is taken otherwise", cases[i].answer);
	}

	memset(text, 'y', sizeof(text));
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = '\0';
	terminal_start(&t, ask_yes_once);
	terminal_expect(&t, QUESTION);
	terminal_type(&t, text);
	assert_int_equal(terminal_end(&t), ECANCELED);
}

/* A process in the background that nobody can stop is given an error for what it reads. */
static int ask_in_background(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		(void)setpgid(0, 0);
		(void)signal(SIGTTIN, SIG_IGN);
		(void)signal(SIGTTOU, SIG_IGN);
		_exit(ask_secret(PROMPT, &(struct buf){0}) == -EIO && ask_yes(QUESTION) == -EIO
			      ? 0
			      : 1);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return OTHER_SECRET;
	return WEXITSTATUS(status);
}

static void test_background(void **state)
{
	struct terminal t;

	(void)state;
	terminal_start(&t, ask_in_background);
	terminal_expect(&t, PROMPT);
	terminal_type(&t, "secret\n");
	terminal_expect(&t, QUESTION);
	terminal_type(&t, "y\n");
	assert_int_equal(terminal_end(&t), 0);
}

static int ask_nowhere(void)
{
	return !ask_possible() && ask_secret(PROMPT, &(struct buf){0}) == -ENOTTY &&
			       ask_yes(QUESTION) == -ENOTTY
		       ? 0
		       : 1;
}

static void test_no_terminal(void **state)
{
	(void)state;
	assert_int_equal(without_terminal(ask_nowhere), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_end_of_input),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_typed_ahead),
		cmocka_unit_test(test_standard_streams),
		cmocka_unit_test(test_yes),
		cmocka_unit_test(test_background),
		cmocka_unit_test(test_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
