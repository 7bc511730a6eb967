/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which keyslots and tokens of a volume survive a new volume key: pure, on what the header holds. */
#pragma once

#include "enroll/inventory.h"

/* A bit each. */
struct keep {
	uint32_t keyslots, tokens;           /* that survive */
	uint32_t lost_keyslots, lost_tokens; /* that do not */
};

/*
 * Decides: of the keyslots that hold the volume key those survive which a credential has `opened`; a
 * token is lost with its last keyslot.
 */
void keep_decide(const struct inventory *inventory, uint32_t opened, struct keep *ret);

/*
 * A new number for each keyslot that survives, in ret[its number now]; one more must be free, for what
 * libcryptsetup keeps of its work. Errors: -ENOSPC, with the count of missing ones in *ret_missing.
 */
MUST int keep_numbers(const struct inventory *inventory, const struct keep *keep,
		      unsigned ret[LUKS_KEYSLOTS], unsigned *ret_missing);

/* What the header itself holds meanwhile, in a token of the type below, cotter-token(5). */
struct keep_note {
	uint32_t old;      /* keyslots that hold the old key; where none is left, it is done */
	uint32_t keyslots; /* that are added for the new one */
	uint32_t tokens;   /* that go when it is done */
};

extern const char keep_note_type[];

/* A new string. Errors: -ENOMEM. */
MUST int keep_note_format(const struct keep_note *note, char **ret);

/* Errors: -EBADMSG, -ENOMEM. */
MUST int keep_note_parse(const char *json, struct keep_note *ret);
