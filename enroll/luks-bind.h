/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The chain of single header commits that binds a token, each of which leaves an openable volume.
 */
#pragma once

#include "enroll/luks.h"

/* A binding to make; all borrowed. */
struct binding {
	const char *json;  /* the token, with no keyslot yet */
	struct ref secret; /* what will open its keyslot */
	struct ref volume_key;
	const char *pbkdf; /* NULL: PBKDF2 at its minimum, for a secret that is random */
	int keyslot;       /* or LUKS_ANY */
	int token;         /* or LUKS_ANY; one that is there is written over */
};

/* Where it came to lie. */
struct bound {
	unsigned keyslot, token;
};

/*
 * Whether a token of at least so many bytes can fit into the header as it is, or in the place of a
 * cotter token that has no keyslot. The cause goes to the log. Errors: -ENOSPC.
 */
MUST int luks_bind_room(const struct luks *luks, size_t size);

/* Says that a token of so many bytes does not fit, and what to do. Returns -ENOSPC. */
MUST int luks_bind_no_room(const struct luks *luks, size_t size);

/*
 * Tries the binding on a copy of the header in memory, so that what cannot fit is known, and told
 * in words, before anything is written. Errors: -ENOSPC, -EIO, -ENOMEM.
 */
MUST int luks_bind_rehearse(struct luks *luks, const struct binding *binding);

/*
 * Writes the token without a keyslot, then adds its keyslot and assigns it in one commit. On
 * failure what was written is removed again. Reasons go to the log. Errors: -ENOSPC, -EIO.
 */
MUST int luks_bind_make(struct luks *luks, const struct binding *binding, struct bound *ret);

/*
 * Adds the keyslot of a binding, for a token that is there, and assigns it in the same commit. Returns its
 * number. The cause of a failure goes to the log. Errors: -ENOSPC, -EIO.
 */
MUST int luks_bind_keyslot(struct luks *luks, const struct binding *binding, unsigned token);

/*
 * Removes whatever of the binding is in the header, keyslot first, then token. `bound` is where it came to lie; NULL:
 * it was not made. Errors: -EIO, told together with what may be left.
 */
MUST int luks_bind_undo(struct luks *luks, const struct binding *binding,
			const struct bound *bound);
