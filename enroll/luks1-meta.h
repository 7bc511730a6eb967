/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * luksmeta: what other programs keep for each keyslot of a LUKS1 volume, between the last keyslot's area and the
 * data. Clevis keeps its JWEs there. Bytes only; luksmeta(8) is the format's own program.
 */
#pragma once

#include "crypto/buf.h"
#include "crypto/log.h"

enum { LUKS1_META_SLOTS = 8, LUKS1_META_UUID_SIZE = 16 };

/* One keyslot's, which is there where data.p is set. */
struct luks1_meta_slot {
	uint8_t uuid[LUKS1_META_UUID_SIZE]; /* whose it is */
	struct ref data;                    /* within the bytes that were read */
};

struct luks1_meta {
	bool there;
	struct luks1_meta_slot slots[LUKS1_META_SLOTS];
};

/* Whether a slot is used, and by Clevis. */
bool luks1_meta_is_clevis(const struct luks1_meta_slot *slot);

/*
 * Reads all that lies between the keyslots and the data, and checks every length and checksum. What is wrong goes to
 * `log` as one sentence. Errors: -EBADMSG (damaged, or it reaches into the data), -EOPNOTSUPP (another version).
 */
MUST int luks1_meta_read(struct ref bytes, const struct log *log, struct luks1_meta *ret);

/* Clevis's. */
extern const uint8_t luks1_meta_clevis[LUKS1_META_UUID_SIZE];

enum { LUKS1_META_HEADER = 512 }; /* bytes that hold the whole index: one sector */

/*
 * The same bytes, changed in memory; what luks1_meta_read() gave of them before is void then. To the disk goes what
 * luks1_meta_put() added before the index, and the index alone for the others.
 */

/* An index without slots. Errors: -ENOSPC. */
MUST int luks1_meta_init(struct buf *bytes);

/*
 * Puts data into a free slot: *ret tells where it lies, in whole blocks of 4096 bytes that nothing else has. `meta`
 * is what was read. Errors: -ENOSPC.
 */
MUST int luks1_meta_put(struct buf *bytes, const struct luks1_meta *meta, unsigned slot,
			const uint8_t uuid[LUKS1_META_UUID_SIZE], struct ref data, size_t *ret);

/* Gives a slot that is used to somebody else. */
void luks1_meta_give(struct buf *bytes, unsigned slot, const uint8_t uuid[LUKS1_META_UUID_SIZE]);

/* Takes the slot out of the index. */
void luks1_meta_drop(struct buf *bytes, unsigned slot);
