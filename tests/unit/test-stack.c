/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands on a device, read from a folder made like /sys and /proc. */
#include "enroll/stack.h"

#include "tests/unit/root.h"

#include <sys/sysmacros.h>

static void mounts(const char *lines)
{
	put("/proc/self/mountinfo", lines);
}

/*
 * On the partition 8:2 the volume luks-a (dm-0, 253:0), on that LVM's dm-1 and dm-2; on 8:3 what LVM
 * has there (dm-3); 8:4 holds nothing.
 */
static int make_root(void **state)
{
	(void)state;
	if (root_begin() < 0)
		return -1;
	put("/sys/dev/block/8:2/holders/dm-0/dm/name", "luks-a\n");
	put("/sys/dev/block/8:2/holders/dm-0/dm/uuid", "CRYPT-LUKS2-00-luks-a\n");
	put("/sys/dev/block/8:3/holders/dm-3/dm/name", "vg-x\n");
	put("/sys/dev/block/8:3/holders/dm-3/dm/uuid", "LVM-00\n");
	put("/sys/dev/block/253:0/slaves/sda2/dev", "8:2\n");
	put("/sys/dev/block/253:1/slaves/dm-0/dev", "253:0\n");
	put("/sys/dev/block/253:2/slaves/dm-0/dev", "253:0\n");
	put("/sys/dev/block/253:3/slaves/sda3/dev", "8:3\n");
	put("/sys/class/block/dm-1/dev", "253:1\n");
	put("/dev/dm-1", "");
	return 0;
}

static struct stack look(unsigned number)
{
	struct stack stack = {0};

	assert_int_equal(stack_look(root, makedev(8, number), &stack), 0);
	return stack;
}

static void test_name(void **state)
{
	(void)state;
	mounts("");
	for (unsigned i = 2; i <= 4; i++) {
		CLEANUP(stack_done) struct stack stack = look(i);

		if (i == 2)
			assert_string_equal(stack.name, "luks-a");
		else
			assert_null(stack.name);
		assert_false(stack.system);
	}
}

static void test_system(void **state)
{
	static const struct {
		const char *line;
		unsigned on; /* 0: on none */
	} cases[] = {
		{"22 1 253:1 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw\n", 2},
		{"22 1 253:1 / / rw - ext4 /dev/mapper/vg-root rw\n", 2},
		{"1 0 8:9 / / rw - ext4 x rw\n22 1 253:2 / /usr rw - ext4 x rw\n", 2},
		{"22 1 253:0 / / rw - ext4 x rw\n", 2},
		{"22 1 8:2 / / rw - ext4 x rw\n", 2},
		{"22 1 253:3 / / rw - ext4 x rw\n", 3},
		{"22 1 253:1 / /home rw - ext4 x rw\n", 0},
		{"22 1 253:1 / /usr/local rw - ext4 x rw\n", 0},
		{"22 1 0:30 / / rw - btrfs /dev/dm-1 rw\n", 2},
		{"22 1 0:30 / / rw - btrfs /dev/none rw\n", 0},
		{"22 1 0:30 / / rw - overlay overlay rw\n", 0},
		{"22 1 253:1 / /\n", 0},
		{"22 1 253:1 / / rw -\n", 0},
		{"\n", 0},
		{"", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		mounts(cases[i].line);
		for (unsigned n = 2; n <= 4; n++) {
			CLEANUP(stack_done) struct stack stack = look(n);

			if (stack.system != (cases[i].on == n))
				fail_msg("8:%u: %s", n, cases[i].line);
		}
	}
}

static void test_ring(void **state)
{
	CLEANUP(stack_done) struct stack stack = {0};

	(void)state;
	put("/sys/dev/block/9:1/slaves/md2/dev", "9:2\n");
	put("/sys/dev/block/9:2/slaves/md1/dev", "9:1\n");
	mounts("22 1 9:1 / / rw - ext4 x rw\n");
	stack = look(2);
	assert_false(stack.system);
}

static void test_nothing_known(void **state)
{
	CLEANUP(stack_done) struct stack stack = {0};

	(void)state;
	assert_int_equal(stack_look("/nonexistent", makedev(8, 2), &stack), 0);
	assert_null(stack.name);
	assert_false(stack.system);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_system),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_nothing_known),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
