/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines on standard error; the journal is in tests/fault/tangd.sh. */
#include "tang/server/notice.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <stdlib.h>

/* What `tell` writes to standard error. */
static const char *told(enum settings_log wanted, void (*tell)(struct notice *notice))
{
	static char text[4096];
	struct notice notice;
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	assert_non_null(file);
	assert_true(saved >= 0);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	notice_init(&notice, wanted);
	tell(&notice);
	(void)fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	rewind(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	(void)fclose(file);
	return text;
}

static void recoveries(struct notice *notice)
{
	notice_recovery(notice, &(struct notice_recovery){
					.peer = "192.0.2.1", .key = "THP", .status = 200});
	notice_recovery(notice, &(struct notice_recovery){.peer = "192.0.2.2",
							  .key = "THP",
							  .subject = "CN=a\tb\xc3\xa4\n",
							  .status = 404});
}

static void errors(struct notice *notice)
{
	struct log log = notice_log(notice);

	(void)log_err(&log, 0, "an error");
	(void)log_dbg(&log, 0, "a detail");
}

static void line(struct notice *notice)
{
	notice_line(notice, "a line");
}

static void test_wanted(void **state)
{
	(void)state;
	assert_string_equal(told(SETTINGS_LOG_RECOVERY, recoveries),
			    "cotter-tangd: recovery by key THP for 192.0.2.1: HTTP 200\n"
			    "cotter-tangd: no recovery by key THP for 192.0.2.2 (CN=a?b?"
			    "?"
			    "?): HTTP "
			    "404\n");
	assert_string_equal(told(SETTINGS_LOG_ERROR, recoveries), "");
	assert_string_equal(told(SETTINGS_LOG_NONE, recoveries), "");
	assert_string_equal(told(SETTINGS_LOG_RECOVERY, errors), "cotter-tangd: an error\n");
	assert_string_equal(told(SETTINGS_LOG_ERROR, errors), "cotter-tangd: an error\n");
	assert_string_equal(told(SETTINGS_LOG_NONE, errors), "");
	assert_string_equal(told(SETTINGS_LOG_NONE, line), "cotter-tangd: a line\n");
	(void)setenv("SYSTEMD_LOG_LEVEL", "debug", 1);
	assert_string_equal(told(SETTINGS_LOG_ERROR, errors),
			    "cotter-tangd: an error\ncotter-tangd: a detail\n");
	(void)unsetenv("SYSTEMD_LOG_LEVEL");
}

/* Another program's stream is not ours. */
static void test_stream(void **state)
{
	(void)state;
	(void)setenv("JOURNAL_STREAM", "1:2", 1);
	assert_string_equal(told(SETTINGS_LOG_NONE, line), "cotter-tangd: a line\n");
	(void)unsetenv("JOURNAL_STREAM");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
