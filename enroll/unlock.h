/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The volume key, by whichever existing credential the options name. */
#pragma once

#include "enroll/luks.h"
#include "enroll/options.h"

/*
 * Whether that credential can be had at all: a key file can be read, asking needs a terminal.
 * Errors: -ENOENT, -ENOTTY.
 */
MUST int unlock_possible(const struct options *options, const struct log *log);

/*
 * Recovers the volume key to a new buffer; a passphrase is asked for three times. Reasons go to the
 * log. Errors: -EPERM (the credential opens nothing), others of luks_unlock_*() and ask_secret().
 */
MUST int unlock(struct luks *luks, const struct options *options, struct buf *ret);
