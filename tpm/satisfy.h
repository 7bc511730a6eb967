/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shows the TPM, in a policy session, that a sealed object's policy holds. */
#pragma once

#include "tpm/sealed.h"
#include "tpm/tss.h"

/*
 * Brings the session to the policy's digest, as far as the machine is in the state for it: whether
 * that is the object's policy shows when it is used, or by satisfy_digest(). A PIN is asked for by
 * the policy, not proven here. The cause goes to the log at ERROR. Errors: those of tss_fail(), and
 * -EKEYREJECTED (no signature of the present PCR values).
 */
MUST int satisfy(struct tss *tss, ESYS_TR session, const struct sealed *sealed);

/* The session's policy digest so far. Errors: those of tss_fail(). */
MUST int satisfy_digest(struct tss *tss, ESYS_TR session, TPM2B_DIGEST *ret);

/*
 * Whether the TPM will be able to verify signatures of the header's key: TPMs differ in the sizes
 * that they take. The cause goes to the log at ERROR. Errors: those of tss_fail().
 */
MUST int satisfy_can_verify(struct tss *tss, const struct sealed *sealed);
