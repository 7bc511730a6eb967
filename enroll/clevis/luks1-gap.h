/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The gap between keyslots and data of a LUKS1 volume, in which luksmeta keeps a text for each keyslot. It is read and
 * checked whole before each write, and what is written has reached the disk before the index, one sector, names it.
 */
#pragma once

#include "enroll/luks.h"
#include "enroll/luks1-meta.h"

/* A zeroed struct is empty. End it with gap_done(). */
struct gap {
	uint64_t at;
	struct buf bytes;
	struct luks1_meta meta;
};

void gap_done(struct gap *gap);

/* Errors: -EBADMSG (damaged, or reaches into the data), -EIO, told, -ENOMEM. */
MUST int gap_read(const struct luks *luks, struct gap *ret);

/* The following are about the header as it is now. Errors: as above, and -ENOSPC, told. */
MUST int gap_init(const struct luks *luks);
MUST int gap_save(const struct luks *luks, unsigned slot, const uint8_t uuid[LUKS1_META_UUID_SIZE],
		  const char *text);
MUST int gap_give(const struct luks *luks, unsigned slot, const uint8_t uuid[LUKS1_META_UUID_SIZE]);
MUST int gap_drop(const struct luks *luks, unsigned slot);
