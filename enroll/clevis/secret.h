/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The secret of a keyslot to be: made, and sealed to a JWE. */
#pragma once

#include "enroll/clevis/sealing.h"

/* A zeroed struct is empty. End it with secret_done(). */
struct secret {
	struct buf plain;
	char *jwe;  /* compact */
	bool typed; /* a card's PIN was typed for it */
	char unproven
		[LOG_LINE_MAX]; /* why it cannot be recovered here and now; empty where it can */
};

void secret_done(struct secret *secret);

/*
 * A new secret, sealed, opened again in memory and recovered once, so that a server or a TPM that cannot do its
 * part is known before anything is written; where it need not hold now, secret->unproven says why it does
 * not. Errors: those of pin_seal(), told.
 */
MUST int secret_make(const struct sealing *wish, const struct log *log, struct secret *ret);
