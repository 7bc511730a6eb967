/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log lines: levels, length, printable text alone, and the errno handed through. */
#include "crypto/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct seen {
	unsigned lines;
	enum log_level level;
	char line[2 * LOG_LINE_MAX];
};

static void keep(void *to, enum log_level level, const char *line)
{
	struct seen *seen = to;

	seen->lines++;
	seen->level = level;
	assert_true(strlen(line) < LOG_LINE_MAX);
	(void)snprintf(seen->line, sizeof(seen->line), "%s", line);
}

static void test_nobody_listens(void **state)
{
	(void)state;
	assert_int_equal(log_err(NULL, -EIO, "text %d", 1), -EIO);
	assert_int_equal(log_dbg(NULL, -EPROTO, "text %d", 1), -EPROTO);
	assert_int_equal(log_dbg(NULL, 0, "text"), 0);
}

static void test_levels(void **state)
{
	struct seen seen = {0};
	struct log log = {.sink = keep, .to = &seen};

	(void)state;
	assert_int_equal(log_err(&log, -EBADMSG, "%s is %d of %zu", "this", 1, (size_t)2),
			 -EBADMSG);
	assert_int_equal(seen.lines, 1);
	assert_int_equal(seen.level, LOG_LEVEL_ERROR);
	assert_string_equal(seen.line, "this is 1 of 2");

	assert_int_equal(log_dbg(&log, -EAGAIN, "unwanted"), -EAGAIN);
	assert_int_equal(seen.lines, 1);

	log.debug = true;
	assert_int_equal(log_dbg(&log, -EAGAIN, "wanted"), -EAGAIN);
	assert_int_equal(seen.lines, 2);
	assert_int_equal(seen.level, LOG_LEVEL_DEBUG);
	assert_string_equal(seen.line, "wanted");

	assert_int_equal(log_err(&log, 0, "%s", ""), 0);
	assert_int_equal(seen.lines, 3);
	assert_string_equal(seen.line, "");
}

static void test_printable_alone(void **state)
{
	struct seen seen = {0};
	const struct log log = {.sink = keep, .to = &seen, .debug = true};

	(void)state;
	assert_int_equal(log_err(&log, 1, "a %s b", "one\ntwo\r\t\x1b[31m\x7f"), 1);
	assert_string_equal(seen.line, "a one?two???[31m? b");
	assert_int_equal(log_dbg(&log, 1, "%s", "sch\xc3\xb6n \xff\x80"), 1);
	assert_string_equal(seen.line, "sch??n ??");
	assert_int_equal(log_err(&log, 1, "%s", "%s %n 100%"), 1);
	assert_string_equal(seen.line, "%s %n 100%");

	for (int c = 1; c < 256; c++) {
		assert_int_equal(log_err(&log, 1, "%c", c), 1);
		assert_int_equal(seen.line[0], c < 0x20 || c > 0x7e ? '?' : c);
		assert_int_equal(seen.line[1], '\0');
	}
}

static void test_length(void **state)
{
	struct seen seen = {0};
	const struct log log = {.sink = keep, .to = &seen};
	char text[4 * LOG_LINE_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[LOG_LINE_MAX - 1] = '\0';
	assert_int_equal(log_err(&log, -E2BIG, "%s", text), -E2BIG);
	assert_string_equal(seen.line, text);

	text[LOG_LINE_MAX - 1] = 'x';
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(log_err(&log, -E2BIG, "%s", text), -E2BIG);
	assert_int_equal(seen.lines, 2);
	assert_int_equal(strlen(seen.line), LOG_LINE_MAX - 1);
	assert_memory_equal(seen.line, text, LOG_LINE_MAX - 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_printable_alone),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
