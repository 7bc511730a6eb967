/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --reencrypt-first: a volume key that no other volume has, before a binding is made. */
#pragma once

#include "enroll/inventory.h"
#include "enroll/options.h"
#include "enroll/output.h"

/* To be called before the volume is opened, see reencrypt-torn.h. Errors: -EIO, -ENOMEM. */
MUST int reencrypt_mend(const struct options *options, const struct log *log);

/*
 * Whether it can be begun, or gone on with, as far as that is known before a credential is. Reasons go to the log.
 * Errors: -EBUSY, -EOPNOTSUPP, -EIO, -ENOMEM.
 */
MUST int reencrypt_check(struct luks *luks, const struct options *options);

/*
 * Re-encrypts, or goes on where that was stopped; the header is then another one. Adds
 * "reencryption" to out->json. The new volume key comes in a new buffer. Reasons go to the log. Errors: -EPERM
 * (a credential is wrong, or something would be lost), -ENOSPC, -EINTR, -EIO, -ENOMEM.
 */
MUST int reencrypt_first(struct luks *luks, const struct options *options, struct output *out,
			 struct buf *ret_key);
