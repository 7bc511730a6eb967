/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that loop devices are on, read from a folder made like /sys. */
#include "enroll/busy.h"

#include "tests/unit/ref.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static char root[] = "/tmp/test-busy.XXXXXX";
static char image[64], link_to_it[64];

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/sys/block/%s", root, name);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/sys/block/%s/loop", root, name);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/sys/block/%s/loop/backing_file", root, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int make_root(void **state)
{
	char path[256];
	FILE *f;

	(void)state;
	if (!mkdtemp(root))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/sys", root);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/sys/block", root);
	(void)mkdir(path, 0755);
	(void)snprintf(image, sizeof(image), "%s/image", root);
	(void)snprintf(link_to_it, sizeof(link_to_it), "%s/link", root);
	f = fopen(image, "we");
	return f && fclose(f) == 0 && symlink(image, link_to_it) == 0 ? 0 : -1;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int drop_root(void **state)
{
	(void)state;
	return nftw(root, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_file(void **state)
{
	char line[80];

	(void)state;
	assert_int_equal(busy_look(root, image), 0);
	put("loop0", "/another/image\n");
	put("loop1", "");
	assert_int_equal(busy_look(root, image), 0);

	(void)snprintf(line, sizeof(line), "%s.more\n", image);
	put("loop2", line);
	assert_int_equal(busy_look(root, image), 0);
	(void)snprintf(line, sizeof(line), "%s\n", image);
	put("loop3", line);
	assert_int_equal(busy_look(root, image), -EBUSY);
	assert_int_equal(busy_look(root, link_to_it), -EBUSY);
	put("loop3", "/another/image\n");
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

	return cmocka_run_group_tests(tests, make_root, drop_root);
}
