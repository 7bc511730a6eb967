/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A new binding takes the place of an old one: its token has the old one's id in the end, and a keyslot of
 * its own. A chain of single header commits, after each of which one of the two opens the volume, and
 * of which the next run can tell, by cotter.unfinished, what is to be done to its end (luks-resume.h).
 */
#pragma once

#include "enroll/luks-bind.h"
#include "enroll/luks-unfinished.h"

/* A zeroed struct is empty. End it with luks_takeover_done(). */
struct luks_takeover {
	struct binding binding;  /* the new one; binding.token is not looked at */
	unsigned token, keyslot; /* of the old one */
	struct ref secret;       /* of the old one, borrowed; p NULL: not known */

	/* set by luks_takeover_rehearse() */
	bool cramped;            /* the header has no room for both tokens */
	char *before;            /* the old token's text */
	struct luks_print print; /* of the old keyslot */
};

void luks_takeover_done(struct luks_takeover *takeover);

/*
 * Whether the old token can be taken over: it has this one keyslot, which is no other token's. The cause
 * goes to the log. Errors: -EPERM.
 */
MUST int luks_takeover_possible(const struct luks *luks, unsigned token, unsigned *ret_keyslot);

/*
 * Tries all of it on a copy of the header in memory: first with room for both tokens, then without.
 * Errors: -ENOENT, -ENOSPC, -EIO, -ENOMEM, told.
 */
MUST int luks_takeover_rehearse(struct luks *luks, struct luks_takeover *takeover);

/*
 * Makes the new binding beside the old one, under a temporary id that *ret names; or, where cramped, adds
 * its keyslot and then puts its token in the place of the old one. Both keyslots open the volume now. On failure
 * all is as it was. Errors: -ENOSPC, -EIO, -ENOMEM, told.
 */
MUST int luks_takeover_begin(struct luks *luks, const struct luks_takeover *takeover,
			     struct bound *ret);

/* Has all as it was before luks_takeover_begin(). Errors: -EIO, told with what may be left. */
MUST int luks_takeover_undo(struct luks *luks, const struct luks_takeover *takeover,
			    const struct bound *bound);

/*
 * The old token's id becomes the new token's, the temporary one is removed, and the old keyslot destroyed.
 * *ret names where the new binding is now. On failure the next run goes on. Errors: -EIO, told.
 */
MUST int luks_takeover_finish(struct luks *luks, const struct luks_takeover *takeover,
			      struct bound *ret);
