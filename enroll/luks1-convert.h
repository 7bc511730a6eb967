/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A LUKS1 volume becomes LUKS2, by libcryptsetup's conversion of a copy of the header in memory. On the disk there is
 * a whole header, of the one or of the other, after each write and in the middle of it:
 *
 *	the material of the keyslot in the way is copied to a free keyslot's area
 *	the LUKS1 header says so, and what lies where LUKS2 has its metadata belongs to no keyslot
 *	the second copy of LUKS2's metadata is written, which nobody looks at while there is LUKS1 in the first sector
 *	the JSON of the first copy
 *	the first block, with which the volume is LUKS2; torn, the second copy counts
 *	what is left of the keyslot that moved, and luksmeta, is overwritten
 */
#pragma once

#include "crypto/js.h"
#include "enroll/luks1.h"

/* Zeroed it is empty. End it with luks1_conversion_done(). */
struct luks1_conversion {
	struct luks1_map map;
	struct luks1_move move;
	struct buf metadata; /* both copies of LUKS2's */
};

void luks1_conversion_done(struct luks1_conversion *conversion);

/*
 * Makes the LUKS2 metadata in memory, with these tokens (their "keyslots" as they are), and has libcryptsetup read
 * it. Nothing is written. Errors: -ENOSPC, -EOPNOTSUPP, -EIO, -ENOMEM, told.
 */
MUST int luks1_convert_prepare(struct luks *luks, const struct luks1_map *before,
			       const json_t *tokens, struct luks1_conversion *ret);

/* Writes it, in the order above. Errors: -ESTALE (another program wrote the header meanwhile), -EIO, told. */
MUST int luks1_convert_write(struct luks *luks, const struct luks1_map *before,
			     const struct luks1_conversion *conversion);
