/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record of what a Tang server's keys recovered, kept in a file over its restarts, by which one knows when
 * a rotated key can go:
 *
 *	{"since":UNIX,"started":UNIX,"keys":{THUMBPRINT:{"recoveries":N,"last":UNIX,"recoveries_since_start":N}}}
 */
#pragma once

#include "tang/server/key.h"

enum { USAGE_KEYS_MAX = 700 /* whose record is as much JSON as we read */ };

struct usage_key {
	char thumbprint[JWK_THUMBPRINT_MAX + 1]; /* S256 */
	uint64_t recoveries;
	uint64_t last; /* seconds since 1970, as all times here */
	uint64_t since_start;
};

/* End it with usage_done(). */
struct usage {
	uint64_t since;   /* when the record begins */
	uint64_t started; /* when the server did that wrote it last */
	struct usage_key *keys;
	size_t n;
};

void usage_done(struct usage *usage);

/* An empty record that begins now. Errors: -ENOMEM. */
MUST int usage_new(uint64_t now, struct usage *ret);

/* Errors: those of open(2) and read(2), -EBADMSG (no such record), -E2BIG, -ENOMEM. */
MUST int usage_load(const char *path, struct usage *ret);

/* Writes the file whole or not at all. Errors: those of put_path(), -ENOMEM. */
MUST int usage_save(const struct usage *usage, const char *path);

/* What the record says of a key; NULL: that it was not used. */
const struct usage_key *usage_find(const struct usage *usage, const char *thumbprint);

/*
 * Adds to what the record says of a key, the later of the two times being the last. Errors: -E2BIG (the
 * record is full).
 */
MUST int usage_add(struct usage *usage, const struct usage_key *more);
