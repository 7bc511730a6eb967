/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which keyslot of a LUKS1 volume makes room for a LUKS2 header, and where it goes. */
#include "enroll/luks1.h"

#include "tests/unit/lines.h"

#include <errno.h>

enum { SIZE = 258048 };

/* As cryptsetup makes it, with these keyslots, a bit each. */
static struct luks1_map map_of(unsigned active)
{
	struct luks1_map map = {
		.slot_size = SIZE,
		.keyslots_end = LUKS1_START + 8 * SIZE,
		.data = 2 * 1024 * 1024,
	};

	for (int i = 0; i < LUKS1_KEYSLOTS; i++) {
		map.slots[i].active = active & 1U << i;
		luks1_set_place(&map, i, LUKS1_START + (uint64_t)i * SIZE);
	}
	return map;
}

static int plan(const struct luks1_map *map, struct lines *lines, struct luks1_move *ret)
{
	const struct luks luks = {.name = "the volume", .log = lines_begin(lines)};

	return luks1_plan(&luks, map, ret);
}

static void test_plan(void **state)
{
	static const struct {
		unsigned active;
		int r, from, to;
	} cases[] = {
		{0x01, 0, 0, 5},       {0x00, 0, -1, -1},     {0xfe, 0, -1, -1},
		{0x21, 0, 0, 4},       {0xdf, 0, 0, 5},       {0xfd, 0, 0, 1},
		{0x3f, -ENOSPC, 0, 0}, {0xff, -ENOSPC, 0, 0}, {0x7f, -ENOSPC, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct luks1_map map = map_of(cases[i].active);
		struct luks1_move move = {77, 77};
		struct lines lines;

		assert_int_equal(plan(&map, &lines, &move), cases[i].r);
		if (cases[i].r < 0) {
			assert_told("plan", &lines, "no free keyslot from 0 to 5");
			assert_int_equal(move.from, 77);
			continue;
		}
		assert_int_equal(move.from, cases[i].from);
		assert_int_equal(move.to, cases[i].to);
	}
}

/* Where an interrupted run left keyslot 0 and another with each other's place. */
static void test_plan_again(void **state)
{
	struct luks1_map map = map_of(0x01);
	struct luks1_move move;
	struct lines lines;
	uint64_t at = map.slots[5].at;

	(void)state;
	luks1_set_place(&map, 5, map.slots[0].at);
	luks1_set_place(&map, 0, at);
	assert_int_equal(plan(&map, &lines, &move), 0);
	assert_int_equal(move.from, LUKS1_NO_MOVE);

	/* Somebody took that keyslot then. */
	map.slots[5].active = true;
	assert_int_equal(plan(&map, &lines, &move), 0);
	assert_int_equal(move.from, 5);
	assert_int_equal(move.to, 4);

	/* One of the last two, whose offsets lie in the next sector. */
	map = map_of(0x41);
	at = map.slots[6].at;
	luks1_set_place(&map, 6, map.slots[0].at);
	luks1_set_place(&map, 0, at);
	assert_int_equal(plan(&map, &lines, &move), 0);
	assert_int_equal(move.from, 6);
	assert_int_equal(move.to, 7);
}

static uint32_t sectors(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void test_header(void **state)
{
	struct luks1_map map = map_of(0x01);
	uint8_t header[LUKS1_HEADER_SIZE];
	uint64_t size;

	(void)state;
	map.header[0] = 'L';
	luks1_set_place(&map, 0, map.slots[5].at);
	assert_int_equal(sectors(map.header + 248), 8 + 5 * 504);
	size = luks1_usual_layout(&map, header);
	for (size_t i = 0; i < LUKS1_KEYSLOTS; i++)
		assert_int_equal(sectors(header + 248 + i * 48), 8 + i * 504);
	assert_int_equal(sectors(header + 104) * UINT64_C(512), size);
	assert_true(size >= LUKS2_HEADERS + 8 * (uint64_t)SIZE);
	assert_int_equal(header[0], 'L');
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_plan_again),
		cmocka_unit_test(test_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
