/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A folder of keys for the tool that changes it: each step leaves it one that a server serves from, and a
 * run that was cut short leaves nothing that the next one does not put right.
 */
#pragma once

#include "crypto/log.h"
#include "tang/server/folder.h"

struct keyring {
	const char *path;
	int folder; /* -1: not open */
	struct keys_file *
		files; /* all of them, also those with the same key: advertised ones first, by name */
	size_t n;
};

enum keyring_use { KEYRING_SIGNING, KEYRING_EXCHANGE };

enum keyring_access { KEYRING_READ, KEYRING_CHANGE };

/*
 * Reads the folder; to change it, waits for another run that does, and removes what one left that was cut
 * short. Lines about files that are no keys, and what is wrong, go to `log`. End it with keyring_done().
 * Errors: those of open(2), flock(2), opendir(3), -ENOMEM.
 */
MUST int keyring_open(const char *path, enum keyring_access access, const struct log *log,
		      struct keyring *ret);

void keyring_done(struct keyring *ring);

/* Whether a key for this use is advertised. */
bool keyring_advertises(const struct keyring *ring, enum keyring_use use);

/*
 * Makes a key and adds its file, of mode 0440 and the folder's owner, named by its thumbprint, which
 * ret_name gets. The list of files stays as it was read. Errors: those of put_file(), jwk_generate().
 */
MUST int keyring_add(const struct keyring *ring, const struct curve *curve, enum keyring_use use,
		     char ret_name[JWK_THUMBPRINT_MAX + 1]);

/*
 * Rotates a key out: its file gets a name with a dot before it, and never another's. Errors: those of
 * renameat2(2), -EEXIST (all such names are taken), -ENAMETOOLONG.
 */
MUST int keyring_hide(const struct keyring *ring, const struct keys_file *file);

/* Removes a key for good. Errors: those of unlinkat(2). */
MUST int keyring_remove(const struct keyring *ring, const struct keys_file *file);

/* Has what was hidden and removed on disk. Errors: those of fsync(2). */
MUST int keyring_sync(const struct keyring *ring);

/* The text of a key's file in the form in which José makes one, as a new buffer. Errors: -ENOMEM. */
MUST int keyring_text(const struct jwk *key, enum keyring_use use, struct buf *ret);
