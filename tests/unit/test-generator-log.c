/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which lines of a generator go to standard error. */
#include "units/generator-log.h"

#include "tests/unit/capture.h"

#include <errno.h>
#include <stdlib.h>

/* What is written to standard error under this level; NULL: none is said. */
static const char *written(const char *level)
{
	struct generator_log out;
	struct capture capture;

	assert_int_equal(
		level ? setenv("SYSTEMD_LOG_LEVEL", level, 1) : unsetenv("SYSTEMD_LOG_LEVEL"), 0);
	generator_log_begin(&out);
	capture = capture_begin(STDERR_FILENO);
	(void)log_err(&out.log, -EIO, "a warning");
	(void)log_dbg(&out.log, 0, "a detail");
	generator_log_done(&out);
	return capture_end(&capture);
}

static void test_levels(void **state)
{
	static const char *const usual[] = {NULL, "info",  "warning", "notice", "4",
					    "5",  "6",     "",        "8",      "77",
					    "-1", "Debug", "debugger"};
	static const char *const less[] = {"emerg", "alert", "crit", "err", "0", "1", "2", "3"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		assert_string_equal(written(usual[i]), "cotter-generator: a warning\n");
	for (size_t i = 0; i < ARRAY_SIZE(less); i++)
		assert_string_equal(written(less[i]), "");
	assert_string_equal(written("debug"),
			    "cotter-generator: a warning\ncotter-generator: a detail\n");
	assert_string_equal(written("7"),
			    "cotter-generator: a warning\ncotter-generator: a detail\n");
}

/* Another process's number, or none at all, means that nobody but a person runs this. */
static void test_not_systemd(void **state)
{
	static const char *const pids[] = {"1", "", "x", "*"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		assert_int_equal(setenv("SYSTEMD_EXEC_PID", pids[i], 1), 0);
		assert_string_equal(written("info"), "cotter-generator: a warning\n");
	}
	assert_int_equal(unsetenv("SYSTEMD_EXEC_PID"), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_not_systemd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
