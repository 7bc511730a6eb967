/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a secret to a sealed object. */
#pragma once

#include "tpm/sealed.h"
#include "tpm/tss.h"

/*
 * The digest that an object's policy has where it demands what the header struct says, whose PCRs must
 * have their values; empty where there is no policy. Errors: -EOPNOTSUPP, -ENOMEM.
 */
MUST int seal_digest(const struct sealed *sealed, TPM2B_DIGEST *ret);

/*
 * Seals `secret` under what the header struct says: parent, hash, PCRs with their values, policy
 * key, has_pin (with salt, and the PIN itself in `pin`). Puts the object and the parent's Name there.
 * The cause goes to the log at ERROR. Errors: those of parent_open(), and -E2BIG (the secret).
 */
MUST int seal(struct tss *tss, struct sealed *sealed, struct ref pin, struct ref secret);
