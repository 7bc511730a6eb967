/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a takeover that was interrupted, in the next run. */
#pragma once

#include "enroll/luks.h"

/* What luks_resume() did, or what it lacks. */
enum luks_resumed {
	LUKS_RESUMED_NONE,  /* this token bears no note */
	LUKS_RESUMED_WANTS, /* nothing: without the token's secret it cannot go on */
	LUKS_RESUMED_UNDONE, /* the token, which was to take over another's id, had no keyslot and is gone */
	LUKS_RESUMED_DONE,    /* it was brought to its end */
	LUKS_RESUMED_KEYSLOT, /* so, but that a keyslot stays, as nobody knows what opens it */
};

/*
 * Looks at one token and brings to an end what its note tells of, as far as that can be without the
 * secret that the token recovers, or with it (p set: it opened `keyslot`). A keyslot is removed only
 * once the secret in the note has opened it or, where that was not known, while it is the keyslot still that the note
 * was sealed for; and never `keyslot`. *ret_keyslot is that of
 * LUKS_RESUMED_KEYSLOT. Errors: -EIO, told, -ENOMEM.
 */
MUST int luks_resume(struct luks *luks, unsigned token, struct ref secret, unsigned keyslot,
		     enum luks_resumed *ret, unsigned *ret_keyslot);
