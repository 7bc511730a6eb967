/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The credentials of a volume themselves, not only the key that they open. */
#pragma once

#include "enroll/inventory.h"
#include "enroll/options.h"

enum { CREDENTIALS_MAX = 1 + OPTIONS_KEEP_MAX + LUKS_TOKENS };

struct credential {
	struct buf secret;
	const char *file; /* borrowed; NULL: typed, or of a token */
	int token;        /* LUKS_ANY: of none */
	uint32_t opens;   /* keyslots, a bit each, once credentials_try() found them */
};

/* A zeroed struct is empty. End it with credentials_done(). */
struct credentials {
	struct credential *list;
	size_t n;
	char (*why)[LOG_LINE_MAX]; /* per token id: why its secret could not be had */
};

void credentials_done(struct credentials *credentials);

/*
 * Has all that can be had: the key files of the options, else without --unlock-token a passphrase that is asked for, and the secret
 * of each cotter token that recovers now, for which a PIN may be asked. Reasons go to the log, but for tokens, whose are kept.
 * Errors: -EPERM (a passphrase that opens nothing), -EIO, -ENOMEM and those of ask_secret().
 */
MUST int credentials_gather(struct luks *luks, const struct options *options,
			    const struct inventory *inventory, struct credentials *ret);

/*
 * Tries them on the keyslots that hold the volume key, each on its token's alone. A file that opens
 * none is an error, told in the log. Errors: -EPERM.
 */
MUST int credentials_try(struct luks *luks, const struct inventory *inventory,
			 struct credentials *credentials);

/* The one that opens this keyslot, or NULL. */
const struct credential *credentials_find(const struct credentials *credentials, unsigned keyslot);

/* The first that opens something in a header of which keyslots are not known to be old or new; or NULL. */
const struct credential *credentials_any(struct luks *luks, const struct credentials *credentials);
