/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a sealed object back to its secret. */
#pragma once

#include "tpm/sealed.h"
#include "tpm/tss.h"

/*
 * Unseals to a new buffer. `pin` is what a person typed, p NULL where nobody was asked yet. A wrong
 * PIN costs a try; nothing else does. The cause goes to the log at ERROR. Errors: -ENOANO (a PIN is
 * wanted, and would unseal it now, or the one given was wrong), -EKEYREJECTED (another TPM, its
 * PCRs, no signature of them, lockout), -EBADMSG (the header was altered), -EPROTO, -EIO, -ENOMEM.
 */
MUST int unseal(struct tss *tss, const struct sealed *sealed, struct ref pin, struct buf *ret);

/* Writes what changed so that the policy does not hold to the log at ERROR. Errors: as unseal(). */
MUST int unseal_explain(struct tss *tss, const struct sealed *sealed);
