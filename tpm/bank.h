/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The TPM's PCRs as they are now. */
#pragma once

#include "tpm/pcr.h"
#include "tpm/tss.h"

/*
 * Reads the values of those PCRs of the set that have none; the TPM must have the others, too. The
 * cause goes to the log at ERROR. Errors: those of tss_fail(), and -EINVAL (the TPM does not have
 * this bank).
 */
MUST int bank_read(struct tss *tss, struct pcr_set *set);

/*
 * The best bank for the PCRs of the set that have none: of those in which the firmware measures
 * them, sha256, or else sha384, sha512, sha1. Errors: those of tss_fail(), and -EINVAL (no bank).
 */
MUST int bank_best(struct tss *tss, const struct pcr_set *set, const struct hash_alg **ret);

/*
 * The bank that Clevis takes where none is given: the first in the TPM's own order that has any PCR. Errors:
 * as bank_best().
 */
MUST int bank_first(struct tss *tss, const struct hash_alg **ret);

/* Gives all PCRs of the set a bank, the best one, and a value, the present one. Errors: as those two. */
MUST int bank_complete(struct tss *tss, struct pcr_set *set);

/*
 * Those PCRs of the set whose values are not what the set says: a new set, whose values are the
 * present ones. A PCR whose bank is gone counts. Errors: those of tss_fail().
 */
MUST int bank_changed(struct tss *tss, const struct pcr_set *set, struct pcr_set *ret);
