/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a run that was stopped while it replaced a token left in the header. */
#pragma once

#include "enroll/luks.h"
#include "enroll/output.h"

/*
 * Brings it to an end before anything else is changed, and says so. Where the token that bears the note cannot
 * be recovered now it stays, and is named with what is left; so is a keyslot of which nobody knows any
 * more what opens it. Errors: -EIO, told, -ENOMEM.
 */
MUST int leftover_clear(struct luks *luks, const struct output *out);
