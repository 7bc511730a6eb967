/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where things lie in a LUKS1 volume, and which of its keyslots must move for a LUKS2 header to have room. */
#pragma once

#include "enroll/luks.h"

enum {
	LUKS1_KEYSLOTS = 8,
	LUKS1_START =
		4096, /* bytes up to the first keyslot's area, of which the header is the first */
	LUKS1_HEADER_SIZE = 1024, /* of what is looked at */
	LUKS1_NO_MOVE = -1,
	LUKS2_HEADERS = 32 * 1024, /* both copies of the metadata that a LUKS2 header gets */
	LUKS1_SECTOR = 512,
};

struct luks1_slot {
	bool active;
	uint64_t at;
};

struct luks1_map {
	struct luks1_slot slots[LUKS1_KEYSLOTS];
	uint64_t slot_size;    /* of a keyslot's area, in whole blocks of 4096 bytes */
	uint64_t keyslots_end; /* where luksmeta begins */
	uint64_t data;         /* where the data begins */
	uint8_t header[LUKS1_HEADER_SIZE];
};

/* What must be done first: this keyslot's material moves to the area of that one, which is free. */
struct luks1_move {
	int from, to; /* or LUKS1_NO_MOVE */
};

/* Of a volume that luks_open_luks1() opened. Errors: -EIO, -EOPNOTSUPP (a layout that no program of our time writes), told. */
MUST int luks1_read_map(struct luks *luks, struct luks1_map *ret);

/*
 * A LUKS2 header takes the place of the first keyslot's area. The change of both keyslots' offsets must be one
 * sector's. Errors: -ENOSPC, told.
 */
MUST int luks1_plan(const struct luks *luks, const struct luks1_map *map, struct luks1_move *ret);

/* Gives this keyslot this place, in map->header too. */
void luks1_set_place(struct luks1_map *map, int slot, uint64_t at);

/* Gives a copy of the header the layout with which cryptsetup makes it, and returns how many bytes it describes. */
uint64_t luks1_usual_layout(const struct luks1_map *map, uint8_t header[LUKS1_HEADER_SIZE]);
