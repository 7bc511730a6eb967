/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The drop-in, and what stands in its way. */
#include "units/dropin.h"

#include "tests/unit/ref.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIT "systemd-cryptsetup@a\\x2db.service"

static char folder[] = "/tmp/test-dropin.XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int make_folder(void **state)
{
	(void)state;
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_written(void **state)
{
	const char *path = in_folder(UNIT ".d/50-cotter.conf");
	char text[512] = "";
	struct stat st;
	FILE *f;

	(void)state;
	(void)umask(022);
	assert_int_equal(dropin_write(folder, UNIT), 0);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	(void)fclose(f);
	assert_non_null(strstr(text, "[Unit]\nWants=network-online.target\n"
				     "After=network-online.target\n"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(stat(in_folder(UNIT ".d"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(dropin_write(folder, UNIT), -EEXIST);
}

/* A folder that another generator has made is used. */
static void test_folder_there(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_folder(UNIT ".d"), 0755), 0);
	assert_int_equal(dropin_write(folder, UNIT), 0);
	assert_int_equal(access(in_folder(UNIT ".d/50-cotter.conf"), R_OK), 0);
}

static void test_in_the_way(void **state)
{
	(void)state;
	assert_int_equal(dropin_write(in_folder("nowhere"), UNIT), -ENOENT);
	assert_int_equal(symlink("/tmp", in_folder(UNIT ".d")), 0);
	assert_int_equal(dropin_write(folder, UNIT), -ENOTDIR);
	assert_int_equal(unlink(in_folder(UNIT ".d")), 0);
	assert_int_equal(mkdir(in_folder(UNIT ".d"), 0755), 0);
	assert_int_equal(symlink("/tmp/x", in_folder(UNIT ".d/50-cotter.conf")), 0);
	assert_int_equal(dropin_write(folder, UNIT), -EEXIST);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_written, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_folder_there, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_in_the_way, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
