/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading whole files. */
#include "units/text-file.h"

#include "tests/unit/ref.h"

#include <unistd.h>

static char path[] = "/tmp/test-text-file.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	return write(fd, "a\0b\n", 4) == 4 ? close(fd) : -1;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void test_read(void **state)
{
	char *text = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(text_file_read(path, 100, &text, &n), 0);
	assert_int_equal(n, 4);
	assert_memory_equal(text, "a\0b\n", 5);
	free(text);
	assert_int_equal(text_file_read(path, 4, &text, &n), 0);
	assert_int_equal(n, 4);
	free(text);
	assert_int_equal(text_file_read("/proc/self/cmdline", 4096, &text, &n), 0);
	assert_non_null(strstr(text, "test-text-file"));
	free(text);
	assert_int_equal(text_file_read("/dev/null", 1, &text, &n), 0);
	assert_int_equal(n, 0);
	assert_string_equal(text, "");
	free(text);
}

static void test_not_read(void **state)
{
	char *text = NULL;
	size_t n = 7;

	(void)state;
	assert_int_equal(text_file_read(path, 3, &text, &n), -E2BIG);
	assert_int_equal(text_file_read("/dev/zero", 1000, &text, &n), -E2BIG);
	assert_int_equal(text_file_read("/tmp", 1000, &text, &n), -EIO);
	assert_int_equal(text_file_read("/nonexistent", 1000, &text, &n), -ENOENT);
	assert_null(text);
	assert_int_equal(n, 7);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_not_read),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
