/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PINs, and what the TPM does against guessing them. */
#pragma once

#include "tpm/sealed.h"
#include "tpm/tss.h"

/* The authorization value of a PIN, which is all that the TPM ever learns. Errors: -ENOMEM. */
MUST int auth_from_pin(struct ref pin, const uint8_t salt[TPM_SALT_SIZE], TPM2B_AUTH *ret);

/* A cleanup that wipes one. */
void auth_done(TPM2B_AUTH *auth);

/*
 * Whether a PIN could be tried now. 0: yes, and *ret_left says how often before the TPM locks
 * itself. The cause goes to the log at ERROR. Errors: those of tss_fail(), of which -EKEYREJECTED
 * says that it is locked.
 */
MUST int auth_check_lockout(struct tss *tss, uint32_t *ret_left);

/* tss_fail() for commands that lockout stops: says until when. Errors: as tss_fail(). */
MUST int auth_fail(struct tss *tss, TSS2_RC rc, const char *what);
