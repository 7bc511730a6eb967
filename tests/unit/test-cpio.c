/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries are read with their data or without; what is damaged or cut off is told apart at every byte. */
#include "enroll/cpio.h"

#include "tests/unit/archive.h"

#include <errno.h>

static char *text;
static size_t size;

static int make(void **state)
{
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	archive_add(to, ".", S_IFDIR | 0755, "");
	archive_add(to, "etc/crypttab", S_IFREG | 0644, "root x\n");
	archive_add(to, "lib", S_IFLNK | 0777, "usr/lib");
	archive_end(to);
	return fclose(to);
}

static int unmake(void **state)
{
	(void)state;
	free(text);
	return 0;
}

/* Reads all of the first n bytes; returns what ended it. */
static int read_all(size_t n)
{
	FILE *from = fmemopen(text, n, "r");
	struct cpio cpio = {.from = from};
	int r;

	assert_non_null(from);
	while ((r = cpio_next(&cpio)) > 0)
		;
	(void)fclose(from);
	return r;
}

static void test_entries(void **state)
{
	FILE *from = fmemopen(text, size, "r");
	struct cpio cpio = {.from = from};
	CLEANUP(buf_done) struct buf data = {0};

	(void)state;
	assert_int_equal(cpio_next(&cpio), 1);
	assert_string_equal(cpio.name, ".");
	assert_true(S_ISDIR(cpio.mode));
	assert_int_equal(cpio_next(&cpio), 1);
	assert_string_equal(cpio.name, "etc/crypttab");
	assert_int_equal(cpio_data(&cpio, 6, &data), -E2BIG);
	assert_int_equal(cpio_data(&cpio, 7, &data), 0);
	assert_string_equal((const char *)data.p, "root x\n");
	buf_done(&data);
	assert_int_equal(cpio_next(&cpio), 1);
	assert_true(S_ISLNK(cpio.mode));
	assert_int_equal(cpio_data(&cpio, 100, &data), 0);
	assert_string_equal((const char *)data.p, "usr/lib");
	assert_int_equal(cpio_next(&cpio), 0);
	(void)fclose(from);
}

static void test_begun(void **state)
{
	FILE *from = fmemopen(text, size, "r");
	struct cpio cpio = {.from = from, .begun = true};
	uint8_t magic[6];

	(void)state;
	assert_int_equal(fread(magic, 1, sizeof(magic), from), sizeof(magic));
	assert_true(cpio_begins(magic));
	assert_int_equal(cpio_next(&cpio), 1);
	assert_string_equal(cpio.name, ".");
	assert_int_equal(cpio_next(&cpio), 1);
	(void)fclose(from);
}

static void test_cut_off(void **state)
{
	(void)state;
	assert_int_equal(read_all(size), 0);
	for (size_t n = 1; n < size - 3; n++) /* at the end there may be padding */
		assert_int_equal(read_all(n), -ENODATA);
}

/* `with` takes the place of what is at `at`. */
static void expect_damaged(size_t at, const char *with)
{
	char kept[16];
	size_t n = strlen(with);

	memcpy(kept, text + at, n);
	memcpy(text + at, with, n);
	assert_int_equal(read_all(size), -EBADMSG);
	memcpy(text + at, kept, n);
}

static void test_damaged(void **state)
{
	(void)state;
	expect_damaged(0, "070707");
	expect_damaged(6 + 8, "0000gggg");     /* the mode */
	expect_damaged(6 + 8, "   +41ed");     /* which strtoul() would take */
	expect_damaged(6 + 6 * 8, "-0000001"); /* the size */
	expect_damaged(6 + 11 * 8, "00000000");
	expect_damaged(6 + 11 * 8, "ffffffff");
	expect_damaged(6 + 11 * 8, "00000802");
	expect_damaged(6 + 11 * 8, "00000001"); /* a name that does not end there */
	expect_damaged(6 + 6 * 8, "00000004");  /* data that are longer than they are */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_begun),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
