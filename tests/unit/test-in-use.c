/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What device-mapper has open, read from a folder made like /sys and /dev. */
#include "enroll/in-use.h"

#include "tests/unit/root.h"

#define UUID "2505567a9e274efea4d515ad146c258b"

static int make_root(void **state)
{
	(void)state;
	return root_begin();
}

static void put_dm(const char *folder, const char *name, const char *uuid)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "/sys/block/%s/dm/name", folder);
	put(path, name);
	(void)snprintf(path, sizeof(path), "/sys/block/%s/dm/uuid", folder);
	put(path, uuid);
}

static void assert_volume(const struct in_use_volume *volume, const char *name,
			  const char *const *devices)
{
	size_t n = 0;

	assert_string_equal(volume->name, name);
	assert_string_equal(volume->uuid, UUID);
	for (; devices[n]; n++)
		assert_string_equal(volume->devices[n], under(devices[n]));
	assert_int_equal(volume->n, n);
}

static void test_nothing(void **state)
{
	CLEANUP(in_use_done) struct in_use in_use = {0};

	(void)state;
	assert_int_equal(in_use_read("/nonexistent", &in_use), 0);
	assert_int_equal(in_use.n, 0);
}

static void test_read(void **state)
{
	static const char *const
		disk[] = {"/dev/sda2", NULL},
		*const folder[] = {"/dev/c/d0", NULL}, *const lvm[] = {"/dev/mapper/vg-x", NULL},
		*const bare[] = {"/dev/dm-7", NULL},
		*const between[] = {"/dev/dm-8", "/dev/sdb", NULL}, *const none[] = {NULL};
	CLEANUP(in_use_done) struct in_use in_use = {0};

	(void)state;
	put_dm("dm-0", "data\n", "CRYPT-LUKS2-" UUID "-data\n");
	put("/sys/block/dm-0/slaves/sda2/dev", "8:2\n");
	put_dm("dm-10", "ten\n", "CRYPT-LUKS2-" UUID "-ten\n");
	put("/sys/block/dm-10/slaves/c!d0/dev", "8:2\n");
	put_dm("dm-2", "two\n", "CRYPT-LUKS2-" UUID "-two\n");
	put_dm("dm-2/slaves/dm-6", "vg-x\n", "LVM-xyz\n");
	put("/sys/block/dm-2/slaves/dm-6/slaves/sdz/dev", "1:1\n");
	put("/dev/mapper/vg-x", "");
	put_dm("dm-3", "three\n", "CRYPT-LUKS2-" UUID "-three\n");
	put_dm("dm-3/slaves/dm-7", "vg-unlinked\n", "LVM-xyz\n");
	put_dm("dm-4", "four\n", "CRYPT-LUKS2-" UUID "-four\n");
	put_dm("dm-4/slaves/dm-8", "four_dif\n", "CRYPT-SUBDEV-" UUID "-four_dif\n");
	put("/sys/block/dm-4/slaves/dm-8/slaves/sdb/dev", "8:16\n");
	put_dm("dm-5", "five\n", "CRYPT-LUKS2-" UUID "-five\n");

	/* What is none. */
	put_dm("dm-6", "vg-x\n", "LVM-xyz\n");
	put_dm("dm-7", "one\n", "CRYPT-LUKS1-" UUID "-one\n");
	put_dm("dm-8", "four_dif\n", "CRYPT-SUBDEV-" UUID "-four_dif\n");
	put_dm("dm-9", "swap\n", "CRYPT-PLAIN-swap\n");
	put_dm("dm-11", "short\n", "CRYPT-LUKS2-25-short\n");
	put_dm("dm-12", "long\n", "CRYPT-LUKS2-" UUID "0-long\n");
	put("/sys/block/dm-13/dm/uuid", "CRYPT-LUKS2-" UUID "-nameless\n");
	put("/sys/block/sda/size", "1\n");

	assert_int_equal(in_use_read(root, &in_use), 0);
	assert_int_equal(in_use.n, 6);
	assert_volume(&in_use.volumes[0], "data", disk);
	assert_volume(&in_use.volumes[1], "two", lvm);
	assert_volume(&in_use.volumes[2], "three", bare);
	assert_volume(&in_use.volumes[3], "four", between);
	assert_volume(&in_use.volumes[4], "five", none);
	assert_volume(&in_use.volumes[5], "ten", folder);
}

/* However many there are, and however deep. */
static void test_limits(void **state)
{
	CLEANUP(in_use_done) struct in_use in_use = {0};
	char folder[200] = "dm-20", path[256];

	(void)state;
	put_dm("dm-20", "deep\n", "CRYPT-LUKS2-" UUID "-deep\n");
	for (size_t i = 0; i < 7; i++) {
		size_t n = strlen(folder);

		(void)snprintf(folder + n, sizeof(folder) - n, "/slaves/dm-%zu", 30 + i);
		put_dm(folder, "x\n", "CRYPT-SUBDEV-" UUID "-x\n");
	}
	for (size_t i = 0; i < 12; i++) {
		(void)snprintf(path, sizeof(path), "/sys/block/dm-21/slaves/sd%zu/dev", i);
		put(path, "1:1\n");
	}
	put_dm("dm-21", "wide\n", "CRYPT-LUKS2-" UUID "-wide\n");

	assert_int_equal(in_use_read(root, &in_use), 0);
	for (size_t i = 0; i < in_use.n; i++) {
		if (strcmp(in_use.volumes[i].name, "deep") == 0)
			assert_int_equal(in_use.volumes[i].n, 5);
		if (strcmp(in_use.volumes[i].name, "wide") == 0)
			assert_int_equal(in_use.volumes[i].n, IN_USE_DEVICES_MAX);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
