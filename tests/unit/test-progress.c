/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bar's line. */
#include "enroll/progress.h"

#include "tests/unit/ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MIB (UINT64_C(1024) * 1024)

static void test_line(void **state)
{
	char line[PROGRESS_LINE_MAX];

	(void)state;
	progress_line(1000 * MIB, 0, 0, 0, line);
	assert_string_equal(line, "[                              ]   0 %  0 of 1000 MiB");
	/* what is left takes three times what there was */
	progress_line(1000 * MIB, 250 * MIB, 0, 90 * USEC_PER_SEC, line);
	assert_string_equal(line,
			    "[#######                       ]  25 %  250 of 1000 MiB, 4:31 left");
	/* of which 200 MiB were there before */
	progress_line(1000 * MIB, 250 * MIB, 200 * MIB, 4 * USEC_PER_SEC, line);
	assert_non_null(strstr(line, ", 1:01 left"));
	/* not known yet */
	progress_line(1000 * MIB, 250 * MIB, 250 * MIB, 90 * USEC_PER_SEC, line);
	assert_null(strstr(line, "left"));
	progress_line(1000 * MIB, 999 * MIB, 0, 90 * USEC_PER_SEC, line);
	assert_non_null(strstr(line, "]  99 %"));
	progress_line(1000 * MIB, 1000 * MIB, 0, 90 * USEC_PER_SEC, line);
	assert_string_equal(line, "[##############################] 100 %  1000 of 1000 MiB");
}

/* Whatever a child tells. */
static void test_limits(void **state)
{
	char line[PROGRESS_LINE_MAX];

	(void)state;
	progress_line(0, 0, 0, 0, line);
	assert_non_null(strstr(line, "] 100 %"));
	progress_line(1, UINT64_MAX, 0, 0, line);
	assert_non_null(strstr(line, "] 100 %"));
	progress_line(UINT64_MAX, UINT64_MAX - 1, 0, UINT64_MAX, line);
	assert_true(strlen(line) < PROGRESS_LINE_MAX);
	progress_line(UINT64_MAX, 1, 0, UINT64_MAX, line);
	assert_true(strlen(line) < PROGRESS_LINE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
