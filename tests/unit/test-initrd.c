/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images of one archive and of several, and where paths lead in them. */
#include "enroll/initrd.h"

#include "tests/unit/archive.h"
#include "tests/unit/root.h"

#include <errno.h>

static char said[LOG_LINE_MAX];

static void keep_line(void *to, enum log_level level, const char *line)
{
	(void)to;
	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(said, sizeof(said), "%s", line);
}

static const struct log log_said = {.sink = keep_line};

static FILE *begin(void)
{
	FILE *to;

	put("/image", "");
	to = fopen(under("/image"), "we");
	assert_non_null(to);
	return to;
}

static void link_to(FILE *to, const char *name, const char *where)
{
	archive_add(to, name, S_IFLNK | 0777, where);
}

static void file(FILE *to, const char *name, const char *text)
{
	archive_add(to, name, S_IFREG | 0644, text);
}

static void folder(FILE *to, const char *name)
{
	archive_add(to, name, S_IFDIR | 0755, "");
}

static struct initrd end(FILE *to)
{
	struct initrd initrd = {0};

	archive_end(to);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(initrd_read(under("/image"), &log_said, &initrd), 0);
	return initrd;
}

static void test_paths(void **state)
{
	FILE *to = begin();

	(void)state;
	folder(to, ".");
	folder(to, "usr");
	folder(to, "usr/lib");
	file(to, "usr/lib/libcurl.so.4.8", "");
	link_to(to, "usr/lib/libcurl.so.4", "libcurl.so.4.8");
	link_to(to, "usr/lib/absolute", "/lib/libcurl.so.4");
	link_to(to, "usr/lib/up", "../../lib/./libcurl.so.4");
	link_to(to, "usr/lib/gone", "nowhere");
	link_to(to, "usr/lib/loop", "loop");
	link_to(to, "lib", "usr/lib");
	file(to, "./etc/hosts", "127.0.0.1 a\n");
	folder(to, "etc");
	file(to, "etc/key", "secret");
	{
		CLEANUP(initrd_done) struct initrd initrd = end(to);
		static const char *const there[] = {
			"/usr/lib/libcurl.so.4.8",
			"/usr/lib/libcurl.so.4",
			"/lib/libcurl.so.4",
			"/lib/absolute",
			"/lib/up",
			"//usr//lib/",
			"/usr/lib/../lib/up",
			"/etc/key",
		};
		static const char *const not_there[] = {
			"/usr/lib/libcurl",          "/lib/gone", "/lib/loop", "/lib/loop/x",
			"/usr/lib/libcurl.so.4.8/x",
		};

		for (size_t i = 0; i < ARRAY_SIZE(there); i++)
			if (!initrd_has(&initrd, there[i]))
				fail_msg("%s is not found", there[i]);
		for (size_t i = 0; i < ARRAY_SIZE(not_there); i++)
			if (initrd_has(&initrd, not_there[i]))
				fail_msg("%s is found", not_there[i]);
		assert_string_equal(initrd_text(&initrd, "/etc/hosts"), "127.0.0.1 a\n");
		assert_null(initrd_text(&initrd, "/etc/key"));
		assert_null(initrd_text(&initrd, "/etc/nothing"));
	}
}

static void test_modules(void **state)
{
	FILE *to = begin();

	(void)state;
	folder(to, ".");
	{
		CLEANUP(initrd_done) struct initrd initrd = end(to);

		assert_false(initrd_has_modules(&initrd));
	}
	to = begin();
	file(to, "usr/lib/modules/6.1/kernel/drivers/net/virtio_net.ko.xz", "");
	file(to, "usr/lib/modules/6.1/modules.builtin",
	     "kernel/drivers/char/tpm/tpm.ko\nkernel/drivers/net/e1000.ko\n");
	{
		CLEANUP(initrd_done) struct initrd initrd = end(to);

		assert_true(initrd_has_modules(&initrd));
		assert_true(initrd_has_module(&initrd, "", "virtio_net"));
		assert_true(initrd_has_module(&initrd, "", "virtio-net"));
		assert_true(initrd_has_module(&initrd, "", "e1000"));
		assert_false(initrd_has_module(&initrd, "", "e100"));
		assert_false(initrd_has_module(&initrd, "", "e1000e"));
		assert_true(initrd_has_module(&initrd, "drivers/char/tpm", NULL));
		assert_false(initrd_has_module(&initrd, "drivers/char/tpm", "tpm_tis"));
		assert_false(initrd_has_module(&initrd, "drivers/char/tpm", "e1000"));
	}
}

/* A later archive adds to an earlier one. */
static void test_several(void **state)
{
	FILE *to = begin();

	(void)state;
	file(to, "kernel/x86/microcode/AuthenticAMD.bin", "x");
	archive_end(to);
	for (unsigned i = 0; i < 200; i++)
		(void)putc(0, to);
	folder(to, "etc");
	file(to, "etc/crypttab", "root x\n");
	{
		CLEANUP(initrd_done) struct initrd initrd = end(to);

		assert_true(initrd_has(&initrd, "/etc/crypttab"));
		assert_int_equal(json_object_size(initrd.files), 3);
	}
}

static void expect_bad(int error, const char *sentence)
{
	struct initrd initrd = {0};

	said[0] = '\0';
	assert_int_equal(initrd_read(under("/image"), &log_said, &initrd), error);
	assert_null(initrd.files);
	assert_non_null(strstr(said, sentence));
}

static void test_bad(void **state)
{
	FILE *to;

	(void)state;
	put("/image", "");
	expect_bad(-EBADMSG, "is no initramfs image");
	put("/image", "nothing that is known");
	expect_bad(-EBADMSG, "is no initramfs image");
	put("/image", "0707");
	expect_bad(-EBADMSG, "is cut off");
	put("/image", "\x1f\x8b of which nothing can be made");
	expect_bad(-EBADMSG, "is cut off or damaged");
	to = begin();
	file(to, "a", "b");
	assert_int_equal(fclose(to), 0);
	expect_bad(-EBADMSG, "is cut off");
	to = begin();
	file(to, "a", "b");
	archive_end(to);
	(void)fputs("garbage", to);
	assert_int_equal(fclose(to), 0);
	expect_bad(-EBADMSG, "initramfs image");
	assert_int_equal(unlink(under("/image")), 0);
	expect_bad(-ENOENT, "cannot be opened");
	assert_int_equal(mkdir(under("/image"), 0755), 0);
	expect_bad(-EBADMSG, "is no initramfs image");
	assert_int_equal(rmdir(under("/image")), 0);
}

/* Names and texts that are kept have a limit in all, whatever an image unpacks to. */
static void test_much(void **state)
{
	enum { SIZE = 256 * 1024, LIMIT = 64 * 1024 * 1024 };
	char name[64], *text = malloc(SIZE);
	FILE *to = begin();

	(void)state;
	assert_non_null(text);
	memset(text, 'x', SIZE - 1);
	text[SIZE - 1] = '\0';
	for (size_t i = 0; i <= LIMIT / SIZE; i++) {
		(void)snprintf(name, sizeof(name), "etc/cmdline.d/%zu.conf", i);
		file(to, name, text);
	}
	free(text);
	archive_end(to);
	assert_int_equal(fclose(to), 0);
	expect_bad(-EBADMSG, "more files than any initramfs");
	assert_int_equal(unlink(under("/image")), 0);
}

static int begin_root(void **state)
{
	(void)state;
	return root_begin();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),   cmocka_unit_test(test_modules),
		cmocka_unit_test(test_several), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_much),
	};

	return cmocka_run_group_tests(tests, begin_root, remove_root);
}
