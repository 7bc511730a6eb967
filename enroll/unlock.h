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

/* Whether this passphrase is the one. Errors: -EPERM where it is not, and any others. */
typedef int unlock_try(struct luks *luks, struct ref passphrase, void *arg);

/*
 * Asks for the volume's passphrase, three times at most, until `opens` takes it; it comes in a new buffer.
 * Reasons go to the log. Errors: those of `opens` and ask_secret().
 */
MUST int unlock_ask(struct luks *luks, unlock_try *opens, void *arg, struct buf *ret);
