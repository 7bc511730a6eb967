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
	struct buf text = {0};

	(void)state;
	assert_int_equal(text_file_read(path, 100, &text), 0);
	assert_int_equal(text.n, 4);
	assert_memory_equal(text.p, "a\0b\n", 5);
	buf_done(&text);
	assert_int_equal(text_file_read(path, 4, &text), 0);
	assert_int_equal(text.n, 4);
	buf_done(&text);
	assert_int_equal(text_file_read("/proc/self/cmdline", 4096, &text), 0);
	assert_non_null(strstr((char *)text.p, "test-text-file"));
	buf_done(&text);
	assert_int_equal(text_file_read("/dev/null", 1, &text), 0);
	assert_int_equal(text.n, 0);
	assert_string_equal((char *)text.p, "");
	buf_done(&text);
}

static void test_not_read(void **state)
{
	struct buf text = {0};

	(void)state;
	assert_int_equal(text_file_read(path, 3, &text), -E2BIG);
	assert_int_equal(text_file_read("/dev/zero", 1000, &text), -E2BIG);
	assert_int_equal(text_file_read("/tmp", 1000, &text), -EIO);
	assert_int_equal(text_file_read("/nonexistent", 1000, &text), -ENOENT);
	assert_null(text.p);
	assert_int_equal(text.n, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_not_read),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
