/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading crypttab and putting another in its place. */
#include "enroll/crypttab-file.h"

#include "tests/unit/ref.h"
#include "units/crypttab.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test-crypttab-file.XXXXXX";
static char path[64], link_path[64], beside[64];
static struct lines lines;

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/crypttab", folder);
	(void)snprintf(link_path, sizeof(link_path), "%s/link", folder);
	(void)snprintf(beside, sizeof(beside), "%s/.crypttab.cotter", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int remove_files(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(link_path);
	(void)unlink(beside);
	return 0;
}

static void put(const char *where, const char *text)
{
	FILE *f = fopen(where, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static struct crypttab_file read_it(const char *where, const char *want)
{
	struct crypttab_file file = {0};

	assert_int_equal(crypttab_file_read(where, lines_begin(&lines), &file), 0);
	assert_told(where, &lines, NULL);
	assert_string_equal(file.path, path);
	assert_ref(buf_ref(&file.text), want);
	return file;
}

static void test_new(void **state)
{
	CLEANUP(crypttab_file_done) struct crypttab_file file = read_it(path, "");
	struct stat st;

	(void)state;
	assert_false(file.there);
	assert_int_equal(crypttab_file_write(&file, ref_str("a b\n"), &lines.log), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	crypttab_file_done(&file);
	file = read_it(path, "a b\n");
	assert_true(file.there);
}

static void test_replaced(void **state)
{
	CLEANUP(crypttab_file_done) struct crypttab_file file = {0};
	struct stat st;

	(void)state;
	put(path, "old\n");
	put(beside, "of a run that was killed\n");
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(symlink(path, link_path), 0);
	file = read_it(link_path, "old\n");
	assert_int_equal(crypttab_file_write(&file, ref_str("new\n"), &lines.log), 0);
	crypttab_file_done(&file);
	file = read_it(path, "new\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(lstat(link_path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(access(beside, F_OK), -1);
}

static void test_refused(void **state)
{
	static const struct crypttab_file untouched;
	struct crypttab_file file = {0};

	(void)state;
	assert_int_equal(symlink(path, link_path), 0);
	assert_int_equal(crypttab_file_read(link_path, lines_begin(&lines), &file), -ENOENT);
	assert_told("a link to nothing", &lines, "link cannot be followed: No such file");
	assert_int_equal(crypttab_file_read(folder, lines_begin(&lines), &file), -EIO);
	assert_told("a folder", &lines, "cannot be read");
	put(path, "");
	assert_int_equal(truncate(path, CRYPTTAB_SIZE_MAX + 1), 0);
	assert_int_equal(crypttab_file_read(path, lines_begin(&lines), &file), -E2BIG);
	assert_told("too much", &lines, "cannot be read");
	assert_memory_equal(&file, &untouched, sizeof(file));
}

static void test_not_written(void **state)
{
	CLEANUP(crypttab_file_done) struct crypttab_file file = {0};

	(void)state;
	put(path, "old\n");
	file = read_it(path, "old\n");
	assert_int_equal(mkdir(beside, 0700), 0);
	assert_int_equal(crypttab_file_write(&file, ref_str("new\n"), lines_begin(&lines)), -EIO);
	assert_told("no temporary file", &lines, "could not be replaced and is as it was");
	assert_int_equal(rmdir(beside), 0);
	crypttab_file_done(&file);
	file = read_it(path, "old\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_new, remove_files),
		cmocka_unit_test_teardown(test_replaced, remove_files),
		cmocka_unit_test_teardown(test_refused, remove_files),
		cmocka_unit_test_teardown(test_not_written, remove_files),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
