/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proof of a new binding: a fresh process, with none of this one's secrets, opens the keyslot. */
#pragma once

#include "enroll/options.h"
#include "enroll/signals.h"

/*
 * Runs this program as --test --proof --token-id=TOKEN; the PIN, where p is set, goes through a pipe
 * to its standard input. Errors, with the cause in `why`: -EAGAIN
 * (something cannot be reached now), -EKEYREJECTED (the token does not open its keyslot), -EINTR
 * (a held signal came), -EIO (it could not be run), -ENOMEM.
 */
MUST int proof_run(const struct options *options, unsigned token, struct ref user_pin,
		   const struct signals *held, char why[LOG_LINE_MAX]);
