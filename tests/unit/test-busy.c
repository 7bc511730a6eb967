/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that loop devices are on, read from a folder made like /sys. */
#include "enroll/busy.h"

#include "tests/unit/root.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static char image[64], link_to_it[64];

static void loop_is_on(const char *name, const char *text)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", name);
	put(path, text);
}

static int make_root(void **state)
{
	(void)state;
	if (root_begin() < 0)
		return -1;
	put("/image", "");
	(void)snprintf(image, sizeof(image), "%s", under("/image"));
	(void)snprintf(link_to_it, sizeof(link_to_it), "%s", under("/link"));
	return symlink(image, link_to_it);
}

static void test_file(void **state)
{
	char line[80];

	(void)state;
	assert_int_equal(busy_look(root, image), 0);
	loop_is_on("loop0", "/another/image\n");
	loop_is_on("loop1", "");
	assert_int_equal(busy_look(root, image), 0);

	(void)snprintf(line, sizeof(line), "%s.more\n", image);
	loop_is_on("loop2", line);
	assert_int_equal(busy_look(root, image), 0);
	(void)snprintf(line, sizeof(line), "%s\n", image);
	loop_is_on("loop3", line);
	assert_int_equal(busy_look(root, image), -EBUSY);
	assert_int_equal(busy_look(root, link_to_it), -EBUSY);
	loop_is_on("loop3", "/another/image\n");
	assert_int_equal(busy_look(root, image), 0);
}

static void test_missing(void **state)
{
	(void)state;
	assert_int_equal(busy_look(root, "/missing"), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
