/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LUKS1 headers. libcryptsetup, which reads the header first, is not asked: these functions take from its
 * bytes what it would say, without any of its checks.
 */
#include "enroll/luks1.h"

#include "tests/fuzz/file.h"

#include <libcryptsetup.h>

static uint8_t header[LUKS1_HEADER_SIZE];

static uint32_t number_at(size_t at)
{
	return (uint32_t)header[at] << 24 | (uint32_t)header[at + 1] << 16 |
	       (uint32_t)header[at + 2] << 8 | header[at + 3];
}

static size_t slot_at(int slot)
{
	return 208 + (size_t)slot * 48;
}

uint64_t crypt_get_data_offset(struct crypt_device *cd)
{
	(void)cd;
	return number_at(104);
}

crypt_keyslot_info crypt_keyslot_status(struct crypt_device *cd, int slot)
{
	(void)cd;
	return number_at(slot_at(slot)) == 0x00ac71f3 ? CRYPT_SLOT_ACTIVE : CRYPT_SLOT_INACTIVE;
}

int crypt_keyslot_area(struct crypt_device *cd, int slot, uint64_t *ret_at, uint64_t *ret_length)
{
	(void)cd;
	*ret_at = (uint64_t)number_at(slot_at(slot) + 40) * LUKS1_SECTOR;
	*ret_length = (uint64_t)number_at(108) * number_at(slot_at(slot) + 44);
	return *ret_length == 0 ? -EINVAL : 0;
}

static void check(const struct luks *luks, struct luks1_map *map)
{
	uint8_t usual[LUKS1_HEADER_SIZE];
	struct luks1_move move;
	int r;

	CHECK(map->keyslots_end <= map->data && map->slot_size > 0);
	for (int i = 0; i < LUKS1_KEYSLOTS; i++)
		CHECK(map->slots[i].at >= LUKS1_START && map->slots[i].at < map->keyslots_end);
	CHECK(luks1_usual_layout(map, usual) >= LUKS2_HEADERS);

	FUZZ_MARK(move);
	r = luks1_plan(luks, map, &move);
	CHECK_RESULT(r, -ENOSPC, -EOPNOTSUPP);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(move));
		return;
	}
	CHECK((move.from == LUKS1_NO_MOVE) == (move.to == LUKS1_NO_MOVE));
	if (move.from == LUKS1_NO_MOVE)
		return;
	CHECK(map->slots[move.from].active && !map->slots[move.to].active);
	CHECK(map->slots[move.to].at >= LUKS2_HEADERS);
	luks1_set_place(map, move.from, map->slots[move.to].at);
	CHECK(map->slots[move.from].at == map->slots[move.to].at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct fuzz_file *file = fuzz_file((struct ref){data, n});
	struct luks luks = {.fd = file->fd, .name = "fuzz", .log = &fuzz_log};
	struct luks1_map map;
	int r;

	memset(header, 0, sizeof(header));
	memcpy(header, data, n < sizeof(header) ? n : sizeof(header));
	FUZZ_MARK(map);
	r = luks1_read_map(&luks, &map);
	CHECK_RESULT(r, -EIO, -EOPNOTSUPP);
	if (r < 0)
		CHECK(FUZZ_IS_MARK(map));
	else
		check(&luks, &map);
	return 0;
}
