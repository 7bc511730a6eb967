/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which rotated keys can go, as the records of the servers that use them have it. */
#pragma once

#include "tang/server/keyring.h"
#include "tang/server/usage.h"

enum prune_verdict {
	PRUNE_ADVERTISED,   /* it is not rotated out: not asked */
	PRUNE_UNUSED,       /* it can go */
	PRUNE_NO_RECORD,    /* there is no record */
	PRUNE_SHORT_RECORD, /* the record does not reach back so far */
	PRUNE_USED,         /* it recovered within the time */
	PRUNE_VOUCHES, /* it signs, and may be how those know the server who use an exchange key that stays */
};

/*
 * Adds the record in `path` to `usage`, zeroed or with others in it: what all of them cover
 * counts as covered, what one of them says was used as used. Errors: those of usage_load(), -E2BIG.
 */
MUST int prune_add_record(const char *path, struct usage *usage);

/*
 * Writes a verdict for each of the ring's files. `usage` is NULL where there is no record; unused is a key that
 * recovered nothing since `before`, seconds since 1970, of which `now` is the present.
 */
void prune_decide(const struct keyring *ring, const struct usage *usage, uint64_t before,
		  uint64_t now, enum prune_verdict *ret);
