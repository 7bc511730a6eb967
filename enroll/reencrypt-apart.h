/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a re-encryption in a process of its own, which luks_reencrypt_run() ends. */
#pragma once

#include "crypto/buf.h"
#include "enroll/output.h"
#include "enroll/progress.h"
#include "enroll/signals.h"

/*
 * From LUKS_REENCRYPTION_CLEAN until all data are written; `secret` opens an old and a new keyslot. A
 * signal that comes stops it between two chunks. Reasons go to the log. Errors: -EINTR, -EIO.
 */
MUST int apart_run(const struct options *options, struct ref secret, const struct signals *held,
		   const struct log *log, struct progress *progress);
