/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* luksmeta's bytes: what is read, and which damage is found. */
#include "enroll/luks1-meta.h"

#include "tests/unit/lines.h"

#include <errno.h>

enum { HEADER = 272, BLOCK = 4096, AREA = 28 * 1024 };

static const uint8_t clevis[LUKS1_META_UUID_SIZE] = {
	0xcb, 0x6e, 0x89, 0x04, 0x81, 0xff, 0x40, 0xda,
	0xa8, 0x4a, 0x07, 0xab, 0x9a, 0xb5, 0x71, 0x5e,
};

static uint8_t bytes[AREA];

static uint32_t crc32c(const uint8_t *p, size_t n)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ UINT32_C(0x82f63b78) : crc >> 1;
	}
	return ~crc;
}

static void put(size_t at, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		bytes[at + (size_t)i] = (uint8_t)(number >> (24 - 8 * i));
}

static void seal(void)
{
	put(12, 0);
	put(12, crc32c(bytes, HEADER));
}

static void begin(void)
{
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, "LUKSMETA", 8);
	put(8, 1);
	seal();
}

static void add(unsigned slot, size_t offset, const char *text)
{
	size_t at = 16 + (size_t)slot * 32;

	memcpy(bytes + at, clevis, sizeof(clevis));
	memcpy(bytes + offset, text, strlen(text));
	put(at + 16, (uint32_t)offset);
	put(at + 20, (uint32_t)strlen(text));
	put(at + 24, crc32c((const uint8_t *)text, strlen(text)));
	seal();
}

/* From memory of just that size. */
static int read_bytes(size_t n, struct lines *lines, struct luks1_meta *ret)
{
	CLEANUP(buf_done) struct buf exact = {0};
	int r;

	assert_int_equal(buf_copy(&exact, (struct ref){bytes, n}), 0);
	r = luks1_meta_read(buf_ref(&exact), lines_begin(lines), ret);
	for (size_t i = 0; r == 0 && i < LUKS1_META_SLOTS; i++)
		if (ret->slots[i].data.p) /* it goes with this function's memory */
			ret->slots[i].data.p = bytes + (ret->slots[i].data.p - exact.p);
	return r;
}

static void test_reads(void **state)
{
	struct luks1_meta meta;
	struct lines lines;

	(void)state;
	/* RFC 3720, B.4 */
	assert_int_equal(crc32c((const uint8_t *)"123456789", 9), 0xe3069283);

	begin();
	assert_int_equal(read_bytes(AREA, &lines, &meta), 0);
	assert_true(meta.there);
	for (size_t i = 0; i < LUKS1_META_SLOTS; i++)
		assert_null(meta.slots[i].data.p);

	add(0, 4096, "first");
	add(7, AREA - 4, "last");
	assert_int_equal(read_bytes(AREA, &lines, &meta), 0);
	assert_ptr_equal(meta.slots[0].data.p, bytes + 4096);
	assert_int_equal(meta.slots[0].data.n, 5);
	assert_int_equal(meta.slots[7].data.n, 4);
	assert_true(luks1_meta_is_clevis(&meta.slots[0]));
	assert_false(luks1_meta_is_clevis(&meta.slots[1]));
	bytes[16]++;
	seal();
	assert_int_equal(read_bytes(AREA, &lines, &meta), 0);
	assert_non_null(meta.slots[0].data.p);
	assert_false(luks1_meta_is_clevis(&meta.slots[0]));
	assert_told("reads", &lines, NULL);
}

static void test_none(void **state)
{
	struct luks1_meta meta = {.there = true};
	struct lines lines;

	(void)state;
	begin();
	assert_int_equal(read_bytes(HEADER - 1, &lines, &meta), 0);
	assert_false(meta.there);
	bytes[7] = 'B';
	assert_int_equal(read_bytes(AREA, &lines, &meta), 0);
	assert_false(meta.there);
	assert_int_equal(read_bytes(0, &lines, &meta), 0);
}

static void refused(size_t n, int err, const char *words)
{
	struct luks1_meta meta = {.there = true};
	struct lines lines;

	assert_int_equal(read_bytes(n, &lines, &meta), err);
	assert_true(meta.there);
	assert_told(words, &lines, words);
}

static void test_damage(void **state)
{
	(void)state;
	for (size_t i = 8; i < HEADER; i++) {
		begin();
		add(3, 4096, "text");
		bytes[i] ^= 0x10;
		refused(AREA, i < 12 ? -EOPNOTSUPP : -EBADMSG, "luksmeta");
	}
	begin();
	add(3, 4096, "text");
	bytes[4097]++;
	refused(AREA, -EBADMSG, "keyslot 3 is damaged");

	begin();
	add(3, 4096, "text");
	refused(4099, -EBADMSG, "reaches into the data");
	put(16 + 3 * 32 + 16, UINT32_MAX - 2); /* so that their sum is small */
	seal();
	refused(AREA, -EBADMSG, "reaches into the data");
	put(16 + 3 * 32 + 16, HEADER - 1);
	seal();
	refused(AREA, -EBADMSG, "keyslot 3 is damaged");

	begin();
	add(3, 4096, "text");
	add(4, 4098, "xt");
	refused(AREA, -EBADMSG, "keyslot 4 is damaged");
}

static void test_changes(void **state)
{
	CLEANUP(buf_done) struct buf area = {0};
	struct luks1_meta meta = {0};
	struct lines lines;
	uint8_t large[9000];
	size_t at;

	(void)state;
	memset(large, 'x', sizeof(large));
	assert_int_equal(buf_init(&area, AREA), 0);
	memset(area.p, 0, AREA);
	area.n = BLOCK - 1;
	assert_int_equal(luks1_meta_init(&area), -ENOSPC);
	area.n = AREA;
	assert_int_equal(luks1_meta_init(&area), 0);

	/* Three blocks, then one, then three again, for which there is no room before the first goes. */
	for (unsigned slot = 0; slot < 3; slot++) {
		struct ref data = {large, slot == 1 ? 10 : sizeof(large)};
		static const size_t wanted[] = {BLOCK, 4 * BLOCK, 0};
		int r;

		assert_int_equal(luks1_meta_read(buf_ref(&area), lines_begin(&lines), &meta), 0);
		r = luks1_meta_put(&area, &meta, slot, clevis, data, &at);
		assert_int_equal(r, slot == 2 ? -ENOSPC : 0);
		if (r == 0)
			assert_int_equal(at, wanted[slot]);
	}
	luks1_meta_drop(&area, 0);
	assert_int_equal(luks1_meta_read(buf_ref(&area), lines_begin(&lines), &meta), 0);
	assert_null(meta.slots[0].data.p);
	assert_int_equal(meta.slots[1].data.n, 10);
	assert_int_equal(
		luks1_meta_put(&area, &meta, 7, clevis, (struct ref){large, sizeof(large)}, &at),
		0);
	assert_int_equal(at, BLOCK);

	luks1_meta_give(&area, 7, large);
	assert_int_equal(luks1_meta_read(buf_ref(&area), lines_begin(&lines), &meta), 0);
	assert_int_equal(meta.slots[7].data.n, sizeof(large));
	assert_false(luks1_meta_is_clevis(&meta.slots[7]));
	assert_true(luks1_meta_is_clevis(&meta.slots[1]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
