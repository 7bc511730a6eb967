/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads LUKS1 headers. */
#include "enroll/luks1.h"

#include <endian.h>
#include <errno.h>
#include <unistd.h>

#include <libcryptsetup.h>

/* Where things lie in the header; numbers are big-endian, offsets count sectors. */
enum {
	DATA_AT = 104,
	SLOTS_AT = 208,
	SLOT_SIZE = 48,
	SLOT_OFFSET = 40,
	BLOCK = 4096,
};

static size_t offset_at(int slot)
{
	return SLOTS_AT + (size_t)slot * SLOT_SIZE + SLOT_OFFSET;
}

static void write_sectors(uint8_t *p, uint64_t bytes)
{
	uint32_t number = htobe32((uint32_t)(bytes / LUKS1_SECTOR));

	memcpy(p, &number, sizeof(number));
}

static uint64_t whole_blocks(uint64_t bytes)
{
	return (bytes + BLOCK - 1) / BLOCK * BLOCK;
}

static int refuse_layout(const struct luks *luks)
{
	return log_err(
		luks->log, -EOPNOTSUPP,
		"the keyslots of %s are not where they are in a LUKS1 header of today, so it "
		"cannot be converted",
		luks->name);
}

int luks1_read_map(struct luks *luks, struct luks1_map *ret)
{
	struct luks1_map map = {0};

	if (pread(luks->fd, map.header, sizeof(map.header), 0) != sizeof(map.header))
		return log_err(luks->log, -EIO, "the header of %s cannot be read", luks->name);
	map.data = crypt_get_data_offset(luks->cd) * LUKS1_SECTOR;
	if (map.data == 0)
		return log_err(
			luks->log, -EOPNOTSUPP,
			"%s is a LUKS1 header apart from its data, which is not converted here; "
			"see cryptsetup-convert(8)",
			luks->name);

	for (int i = 0; i < LUKS1_KEYSLOTS; i++) {
		crypt_keyslot_info info = crypt_keyslot_status(luks->cd, i);
		uint64_t length;

		map.slots[i].active = info == CRYPT_SLOT_ACTIVE || info == CRYPT_SLOT_ACTIVE_LAST;
		if (crypt_keyslot_area(luks->cd, i, &map.slots[i].at, &length) < 0)
			return refuse_layout(luks);
		map.slot_size = whole_blocks(length);
		if (map.keyslots_end < map.slots[i].at + length)
			map.keyslots_end = whole_blocks(map.slots[i].at + length);
	}

	/* Keyslots of LUKS2 lie in whole blocks, none over another. */
	for (int i = 0; i < LUKS1_KEYSLOTS; i++) {
		if (map.slots[i].at % BLOCK != 0 || map.slots[i].at < LUKS1_START)
			return refuse_layout(luks);
		for (int j = 0; j < i; j++)
			if (map.slots[i].at < map.slots[j].at + map.slot_size &&
			    map.slots[j].at < map.slots[i].at + map.slot_size)
				return refuse_layout(luks);
	}
	if (map.keyslots_end > map.data || map.data < LUKS2_HEADERS)
		return refuse_layout(luks);
	*ret = map;
	return 0;
}

/* Whether the offsets of both keyslots lie in one sector of the header, which a disk writes whole or not at all. */
static bool in_one_sector(int a, int b)
{
	return offset_at(a) / LUKS1_SECTOR == offset_at(b) / LUKS1_SECTOR &&
	       (offset_at(a) + sizeof(uint32_t) - 1) / LUKS1_SECTOR == offset_at(b) / LUKS1_SECTOR;
}

int luks1_plan(const struct luks *luks, const struct luks1_map *map, struct luks1_move *ret)
{
	struct luks1_move move = {LUKS1_NO_MOVE, LUKS1_NO_MOVE};

	for (int i = 0; i < LUKS1_KEYSLOTS; i++) {
		if (!map->slots[i].active || map->slots[i].at >= LUKS2_HEADERS)
			continue;
		if (move.from != LUKS1_NO_MOVE)
			return refuse_layout(luks);
		move.from = i;
	}
	for (int i = LUKS1_KEYSLOTS - 1; move.from != LUKS1_NO_MOVE && i >= 0; i--)
		if (!map->slots[i].active && map->slots[i].at >= LUKS2_HEADERS &&
		    in_one_sector(move.from, i)) {
			move.to = i;
			break;
		}
	if (move.from != LUKS1_NO_MOVE && move.to == LUKS1_NO_MOVE)
		return log_err(
			luks->log, -ENOSPC,
			"%s has no free keyslot from %d to %d, to which keyslot %d could move "
			"to make room for the larger header; remove one with cryptsetup "
			"luksKillSlot",
			luks->name, move.from < 6 ? 0 : 6, move.from < 6 ? 5 : 7, move.from);
	*ret = move;
	return 0;
}

void luks1_set_place(struct luks1_map *map, int slot, uint64_t at)
{
	map->slots[slot].at = at;
	write_sectors(map->header + offset_at(slot), at);
}

uint64_t luks1_usual_layout(const struct luks1_map *map, uint8_t header[LUKS1_HEADER_SIZE])
{
	uint64_t at = LUKS1_START;

	memcpy(header, map->header, LUKS1_HEADER_SIZE);
	for (int i = 0; i < LUKS1_KEYSLOTS; i++, at += map->slot_size)
		write_sectors(header + offset_at(i), at);
	at += LUKS2_HEADERS;
	write_sectors(header + DATA_AT, at);
	return at;
}
