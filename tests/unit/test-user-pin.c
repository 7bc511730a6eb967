/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PINs that are chosen at a terminal, and that go through a pipe. */
#include "enroll/user-pin.h"

#include "tests/unit/terminal.h"

#include <fcntl.h>
#include <stdio.h>

enum { PIN_MAX = 512, OTHER_PIN = 200 };

static void to_terminal(void *to, enum log_level level, const char *line)
{
	(void)to;
	(void)level;
	printf("# %s\n", line); /* a remark in TAP, where no terminal is */
	(void)fflush(stdout);
}

static const struct log log_shown = {.sink = to_terminal};

static int choose(void)
{
	struct buf user_pin = {0};
	int r;

	r = user_pin_choose(&log_shown, &user_pin);
	if (r == 0 && !ref_equal(buf_ref(&user_pin), ref_str("12 34")))
		r = -OTHER_PIN;
	if (r < 0 && user_pin.p)
		r = -OTHER_PIN;
	buf_done(&user_pin);
	return -r;
}

static void test_choose(void **state)
{
	static const struct {
		const char *first, *second, *words;
		int want;
	} cases[] = {
		{"12 34\n", "12 34\n", NULL, 0},
		{"12 34\n", "12 35\n", "the two PINs differ; nothing was changed", EINVAL},
		{"12 34\n", "\n", "the two PINs differ", EINVAL},
		{"12 34\n", "\x04", "no PIN was chosen; nothing was changed", ECANCELED},
		{"\n", NULL, "an empty PIN protects nothing", EINVAL},
		{"\x04", NULL, "no PIN was chosen", ECANCELED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct terminal t;

		terminal_start(&t, choose);
		terminal_expect(&t, "New PIN: ");
		assert_false(terminal_echoes(&t));
		terminal_type(&t, cases[i].first);
		if (cases[i].second) {
			terminal_expect(&t, "The same again: ");
			assert_false(terminal_echoes(&t));
			terminal_type(&t, cases[i].second);
		}
		if (cases[i].words)
			terminal_expect(&t, cases[i].words);
		assert_int_equal(terminal_end(&t), cases[i].want);
		assert_true(t.echoed);
		assert_null(strstr(t.shown, "12 34"));
	}
}

static void test_no_terminal(void **state)
{
	(void)state;
	assert_int_equal(without_terminal(choose), ENOTTY);
}

static int ask(void)
{
	struct buf user_pin = {0};
	int r = user_pin_ask(31, &user_pin);

	if (r == 0 && !ref_equal(buf_ref(&user_pin), ref_str("4321")))
		r = -OTHER_PIN;
	buf_done(&user_pin);
	return -r;
}

static void test_ask(void **state)
{
	struct terminal t;

	(void)state;
	terminal_start(&t, ask);
	terminal_expect(&t, "PIN of token 31: ");
	terminal_type(&t, "4321\n");
	assert_int_equal(terminal_end(&t), 0);
	assert_int_equal(without_terminal(ask), ENOTTY);
}

static void test_pipe(void **state)
{
	static uint8_t bytes[PIN_MAX + 1];
	static const size_t sizes[] = {0, 1, 4, PIN_MAX};

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf user_pin = {0};
		int fd = -1;

		assert_int_equal(user_pin_pipe((struct ref){bytes, sizes[i]}, &fd), 0);
		assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		assert_int_equal(user_pin_receive(fd, &user_pin), 0);
		assert_int_equal(user_pin.n, sizes[i]);
		assert_memory_equal(user_pin.p, bytes, sizes[i]);
		buf_done(&user_pin);
		(void)close(fd);
	}
}

static void test_limits(void **state)
{
	static uint8_t bytes[PIN_MAX + 1];
	struct buf user_pin = {0};
	int fd = -1;

	(void)state;
	assert_int_equal(user_pin_pipe((struct ref){bytes, sizeof(bytes)}, &fd), -E2BIG);
	assert_int_equal(fd, -1);

	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_int_equal(user_pin_receive(fd, &user_pin), -E2BIG);
	(void)close(fd);
	assert_int_equal(user_pin_receive(fd, &user_pin), -EIO);
	assert_null(user_pin.p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choose), cmocka_unit_test(test_no_terminal),
		cmocka_unit_test(test_ask),    cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
