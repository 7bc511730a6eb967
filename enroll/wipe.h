/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --wipe-slot removes: decided as a whole first, then done. */
#pragma once

#include "enroll/inventory.h"
#include "enroll/output.h"
#include "enroll/signals.h"

/* A bit each. */
struct wipe {
	uint32_t keyslots, tokens;
};

/*
 * Decides what a selection means for this header; a keyslot that another program's token holds is
 * refused. Reasons go to the log. Errors: -EPERM.
 */
MUST int wipe_plan(const struct luks *luks, const struct inventory *inventory,
		   const struct selection *selection, struct wipe *ret);

/*
 * Whether something still opens the volume afterwards: a keyslot that may be a passphrase's or
 * another program's is believed, a cotter token is tried. Reasons go to the log. Errors: -EPERM.
 */
MUST int wipe_leaves_way(struct luks *luks, const struct inventory *inventory,
			 const struct wipe *wipe);

/*
 * Removes keyslots, then tokens, so that an end in between leaves tokens without keyslots at worst. A
 * signal stops it before the first removal or not at all. Adds what was removed to out->json as
 * "wiped" and says it. Errors: -EIO, -EINTR, -ENOMEM.
 */
MUST int wipe_do(struct luks *luks, const struct wipe *wipe, const struct signals *held,
		 struct output *out);
