/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One key of a Tang server: what its file says, checked and made ready, shared by reference. */
#pragma once

#include "crypto/jwk.h"

struct ecmr_key;

/* Thumbprint algorithms by which a Tang server knows its keys. */
enum key_thumbprint { KEY_S1, KEY_S224, KEY_S256, KEY_S384, KEY_S512, KEY_N_THUMBPRINTS };

enum { KEY_THUMBPRINT_MAX = 86 /* characters of base64url of SHA-512 */ };

/* How often, and when last, a key has recovered; threads count without a lock. */
struct key_count {
	uint64_t recoveries;
	uint64_t last; /* seconds since 1970; 0: never */
};

struct key {
	unsigned refs;
	struct jwk jwk;
	char thumbprints[KEY_N_THUMBPRINTS][KEY_THUMBPRINT_MAX + 1];
	json_t *advert;            /* its public members, as an advertisement has them */
	struct ecmr_key *exchange; /* NULL: not one that recovers */
	bool signs;                /* signs advertisements */
	uint8_t digest[32];        /* SHA-256 of the file, by which it is known again */
	struct key_count count;
	uint64_t recorded; /* how many recoveries are in the record: of its writer alone */
};

/*
 * Makes a key of its file's text. As Tang has it, one that names no use at all signs but does not
 * recover. The caller owns *ret; where it fails *ret_why says in words what is wrong with the file.
 * Errors: -EBADMSG, -EOPNOTSUPP (a Tang server has no use for it), -E2BIG, -ENOMEM.
 */
MUST int key_parse(struct ref text, struct key **ret, const char **ret_why);

struct key *key_ref(struct key *key);
void key_unref(struct key *key);

/* The thumbprint that names it to people: S256. */
const char *key_name(const struct key *key);

/* Counts one recovery. May be called by many threads at once. */
void key_count(struct key *key);

/* What was counted. */
struct key_count key_counted(const struct key *key);

DEFINE_CLEANUP(struct key *, key_unref)
