/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cotter.place (cotter-token(5)): the keyslot number that a token is to have in the end. A new binding cannot take
 * that of the one that it replaces before the old keyslot is gone, and scripts know bindings by this number.
 */
#pragma once

#include "enroll/luks.h"

/* What a token's text says; LUKS_ANY: nothing. */
int keyslot_place_read(const char *token);

/* The text with this place, or (LUKS_ANY) without any. The caller frees *ret. Errors: -EBADMSG, -ENOMEM. */
MUST int keyslot_place_write(const char *token, int place, char **ret);

/*
 * Moves what opens the token to its place, where that is free, and then forgets of the place: the keyslot there is
 * added before the other one goes. `secret` is the token's. Errors: -ENOSPC, -EIO, told, -ENOMEM; the token
 * opens then all the same.
 */
MUST int keyslot_place_take(struct luks *luks, unsigned token, struct ref secret,
			    struct ref volume_key);
