/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes of crypttab and in use, found in a folder made like a machine, with real headers. */
#include "enroll/volumes.h"

#include "tests/unit/opened.h"
#include "tests/unit/root.h"

#include <sys/sysmacros.h>

static struct opened o;
static char uuid[64]; /* of all volumes here, without dashes */

static void copy_volume(const char *path)
{
	static char bytes[4 * 1024 * 1024];
	int from = open(o.volume.path, O_RDONLY | O_CLOEXEC), to;

	put(path, "");
	to = open(under(path), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pread(from, bytes, sizeof(bytes), 0), sizeof(bytes));
	assert_int_equal(pwrite(to, bytes, sizeof(bytes), 0), sizeof(bytes));
	assert_int_equal(ftruncate(to, VOLUME_SIZE), 0);
	(void)close(from);
	(void)close(to);
}

static void put_in_use(const char *number, const char *name, const char *slave)
{
	char path[256], text[256];

	(void)snprintf(path, sizeof(path), "/sys/block/%s/dm/name", number);
	put(path, name);
	(void)snprintf(path, sizeof(path), "/sys/block/%s/dm/uuid", number);
	(void)snprintf(text, sizeof(text), "CRYPT-LUKS2-%s-%s", uuid, name);
	put(path, text);
	(void)snprintf(path, sizeof(path), "/sys/block/%s/slaves/%s/dev", number, slave);
	put(path, "8:1\n");
}

static int begin(void **state)
{
	static const char damaged[] = "LUKS\xba\xbe\0\2 and no more";
	const char *with;
	size_t n = 0;

	(void)state;
	if (root_begin() < 0)
		return -1;
	opened_begin(&o);
	with = luks_uuid(o.luks);
	for (size_t i = 0; with[i]; i++)
		if (with[i] != '-')
			uuid[n++] = with[i];
	copy_volume("/dev/bare");
	if (luks_setup(false, NULL) < 0)
		return -1;
	add_local(o.luks, 0, "{}", 0, "secret");
	copy_volume("/dev/bound");
	copy_volume("/dev/head");
	copy_volume("/dev/open");
	put("/dev/zeros", "no LUKS at all, but long enough for a look at it");
	put("/dev/data", "data whose header is elsewhere");
	put("/dev/secret", "data whose header nobody knows");
	put("/dev/damaged", "");
	assert_int_equal(truncate(under("/dev/damaged"), VOLUME_SIZE), 0);
	n = (size_t)open(under("/dev/damaged"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite((int)n, damaged, sizeof(damaged), 0), sizeof(damaged));
	(void)close((int)n);
	assert_int_equal(symlink(under("/dev/bound"), under("/dev/link")), 0);
	return 0;
}

static int end(void **state)
{
	opened_end(&o);
	return remove_root(state);
}

static struct volumes find(const char *crypttab)
{
	struct volumes volumes = {0};

	put("/etc/crypttab", crypttab);
	opened_forget_lines(&o);
	assert_int_equal(volumes_find(root, &o.lines.log, &volumes), 0);
	assert_told(crypttab, &o.lines, NULL);
	return volumes;
}

static void assert_found(const struct found *found, const char *name, const char *device,
			 const char *header, enum found_state state)
{
	assert_string_equal(found->name, name);
	assert_string_equal(found->place.device, under(device));
	if (header)
		assert_string_equal(found->place.header, under(header));
	else
		assert_null(found->place.header);
	assert_int_equal((int)found->state, (int)state);
}

static void test_crypttab(void **state)
{
	CLEANUP(volumes_done)
	struct volumes volumes = find("# remark\n"
				      "bound /dev/bound none token-type=cotter-tang\n"
				      "alone\n"
				      "again /dev/link\n"
				      "bare /dev/bare none\n"
				      "swap /dev/zeros /dev/urandom swap\n"
				      "detached /dev/data none header=/dev/head\n"
				      "other /dev/data none header=/dev/none\n"
				      "third /dev/data none header=/dev/gone\n"
				      "elsewhere /dev/data none header=/h:LABEL=x\n"
				      "gone /dev/none none\n"
				      "damaged /dev/damaged none\n");

	(void)state;
	assert_int_equal(volumes.n, 9);
	assert_found(&volumes.found[0], "bound", "/dev/bound", NULL, FOUND_BOUND);
	assert_found(&volumes.found[1], "bare", "/dev/bare", NULL, FOUND_BARE);
	assert_found(&volumes.found[2], "swap", "/dev/zeros", NULL, FOUND_OTHER);
	assert_found(&volumes.found[3], "detached", "/dev/data", "/dev/head", FOUND_BOUND);
	assert_found(&volumes.found[4], "other", "/dev/data", "/dev/none", FOUND_AWAY);
	assert_found(&volumes.found[5], "third", "/dev/data", "/dev/gone", FOUND_AWAY);
	assert_found(&volumes.found[6], "elsewhere", "/dev/data", NULL, FOUND_HEADLESS);
	assert_found(&volumes.found[7], "gone", "/dev/none", NULL, FOUND_AWAY);
	assert_found(&volumes.found[8], "damaged", "/dev/damaged", NULL, FOUND_BOUND);
}

static void test_in_use(void **state)
{
	struct volumes volumes;

	(void)state;
	put_in_use("dm-0", "listed", "bound");
	put_in_use("dm-1", "elsewhere", "data");
	put_in_use("dm-2", "open", "open");
	put_in_use("dm-3", "secret", "secret");
	put_in_use("dm-4", "again", "open");
	put_in_use("dm-5", "other", "damaged");

	volumes = find("bound /dev/link none\ndetached /dev/data none header=/dev/head\n");
	assert_int_equal(volumes.n, 5);
	assert_found(&volumes.found[0], "bound", "/dev/link", NULL, FOUND_BOUND);
	assert_found(&volumes.found[1], "detached", "/dev/data", "/dev/head", FOUND_BOUND);
	assert_found(&volumes.found[2], "open", "/dev/open", NULL, FOUND_BOUND);
	assert_found(&volumes.found[3], "secret", "/dev/secret", NULL, FOUND_HEADLESS);
	assert_found(&volumes.found[4], "other", "/dev/damaged", NULL, FOUND_HEADLESS);
	volumes_done(&volumes);

	volumes = find("");
	assert_int_equal(volumes.n, 5);
	assert_found(&volumes.found[0], "listed", "/dev/bound", NULL, FOUND_BOUND);
	assert_found(&volumes.found[1], "elsewhere", "/dev/data", NULL, FOUND_HEADLESS);
	volumes_done(&volumes);

	/* Another volume was written there since. */
	uuid[3] = uuid[3] == '0' ? '1' : '0';
	put_in_use("dm-2", "open", "open");
	volumes = find("");
	assert_found(&volumes.found[2], "open", "/dev/open", NULL, FOUND_HEADLESS);
	volumes_done(&volumes);
}

/* An image of crypttab's that is open is seen as the loop device that it is on. */
static void test_loop(void **state)
{
	struct volumes volumes;

	(void)state;
	if (mknod(under("/dev/loop9"), S_IFBLK | 0600, makedev(7, 9)) < 0)
		skip();
	uuid[3] = uuid[3] == '0' ? '1' : '0';
	put("/sys/dev/block/7:9/loop/backing_file", under("/dev/bound"));
	put("/sys/dev/block/7:9/loop/offset", "0\n");
	for (unsigned i = 0; i <= 5; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/sys/block/dm-%u/dm/uuid", i);
		put(path, "");
	}
	put_in_use("dm-6", "image", "loop9");
	volumes = find("bound /dev/link none\n");
	assert_int_equal(volumes.n, 1);
	volumes_done(&volumes);

	put("/sys/dev/block/7:9/loop/offset", "512\n");
	volumes = find("bound /dev/link none\n");
	assert_int_equal(volumes.n, 2);
	volumes_done(&volumes);
	put("/sys/dev/block/7:9/loop/offset", "0\n");
	put("/sys/dev/block/7:9/loop/backing_file", "/gone (deleted)\n");
	volumes = find("bound /dev/link none\n");
	assert_int_equal(volumes.n, 2);
	volumes_done(&volumes);
}

static void test_no_crypttab(void **state)
{
	struct volumes volumes = {0};

	(void)state;
	opened_forget_lines(&o);
	assert_int_equal(volumes_find("/nonexistent", &o.lines.log, &volumes), 0);
	assert_int_equal(volumes.n, 0);
	assert_told("none", &o.lines, NULL);
	volumes_done(&volumes);

	assert_int_equal(unlink(under("/etc/crypttab")), 0);
	assert_int_equal(mkdir(under("/etc/crypttab"), 0700), 0);
	assert_int_equal(volumes_find(root, &o.lines.log, &volumes), -EIO);
	assert_told("a folder", &o.lines, "/etc/crypttab cannot be read");
	assert_int_equal(volumes.n, 0);
	assert_int_equal(rmdir(under("/etc/crypttab")), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crypttab),
		cmocka_unit_test(test_in_use),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_no_crypttab),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
