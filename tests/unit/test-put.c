/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are there whole or not at all. */
#include "tang/server/put.h"

#include "tests/unit/root.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>

static int folder;

static int begin(void **state)
{
	(void)state;
	memcpy(root + strlen(root) - 6, "XXXXXX", 6);
	if (root_begin() < 0)
		return -1;
	folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder < 0 ? -1 : 0;
}

static int end(void **state)
{
	(void)close(folder);
	return remove_root(state);
}

static void assert_holds(const char *path, const char *want, mode_t mode)
{
	char text[128] = "";
	FILE *f = fopen(under(path), "re");
	struct stat st;

	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	(void)fclose(f);
	assert_string_equal(text, want);
	assert_int_equal(stat(under(path), &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static bool there(const char *path)
{
	struct stat st;

	return lstat(under(path), &st) == 0;
}

static void test_put(void **state)
{
	(void)state;
	(void)umask(0);
	assert_int_equal(put_file(folder, "a", ref_str("one"), 0440, NULL), 0);
	assert_holds("/a", "one", 0440);
	assert_int_equal(put_file(folder, "a", ref_str("two"), 0640, NULL), 0);
	assert_holds("/a", "two", 0640);
	assert_false(there("/a.new"));
	assert_int_equal(put_path(under("/b"), ref_str("three"), 0644), 0);
	assert_holds("/b", "three", 0644);
	assert_int_equal(chdir(root), 0);
	assert_int_equal(put_path("c", ref_str("four"), 0600), 0);
	assert_holds("/c", "four", 0600);
	assert_int_equal(chdir("/"), 0);
}

/* What a run left that was ended, or what somebody has laid there to be written through. */
static void test_leftover(void **state)
{
	(void)state;
	put("/a.new", "half a");
	assert_int_equal(put_file(folder, "a", ref_str("whole"), 0440, NULL), 0);
	assert_holds("/a", "whole", 0440);
	put("/victim", "innocent");
	assert_int_equal(symlink("victim", under("/b.new")), 0);
	assert_int_equal(put_file(folder, "b", ref_str("whole"), 0440, NULL), 0);
	assert_holds("/b", "whole", 0440);
	assert_holds("/victim", "innocent", 0666);
}

static void test_errors(void **state)
{
	char name[NAME_MAX + 1];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(put_file(folder, name, ref_str("x"), 0440, NULL), -ENAMETOOLONG);
	assert_int_equal(put_path(under("/none/a"), ref_str("x"), 0440), -ENOENT);
	put("/file", "");
	assert_int_equal(put_path(under("/file/a"), ref_str("x"), 0440), -ENOTDIR);
	assert_int_equal(mkdir(under("/folder"), 0700), 0);
	assert_int_equal(put_file(folder, "folder", ref_str("x"), 0440, NULL), -EISDIR);
	assert_false(there("/folder.new"));
}

/* The disk is full after some bytes: the old file stays, and nothing beside it. */
static void test_full(void **state)
{
	struct rlimit before, limit;
	int r;

	(void)state;
	assert_int_equal(put_file(folder, "a", ref_str("old"), 0440, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){4, before.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	r = put_file(folder, "a", ref_str("new and long"), 0440, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, -EFBIG);
	assert_holds("/a", "old", 0440);
	assert_false(there("/a.new"));
}

static void test_owner(void **state)
{
	struct stat owner = {.st_uid = 12345, .st_gid = 23456}, st;

	(void)state;
	assert_int_equal(put_file(folder, "a", ref_str("x"), 0440, &owner), 0);
	assert_int_equal(stat(under("/a"), &st), 0);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 12345);
		assert_int_equal(st.st_gid, 23456);
	}
	assert_int_equal(st.st_mode & 07777, 0440);

	if (geteuid() != 0)
		return;
	/* Another user may give nothing away. */
	assert_int_equal(chmod(root, 0777), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(put_file(folder, "b", ref_str("x"), 0440, &owner), 0);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(stat(under("/b"), &st), 0);
	assert_int_equal(st.st_uid, 65534);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_put),  TEST(test_leftover), TEST(test_errors),
		TEST(test_full), TEST(test_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
