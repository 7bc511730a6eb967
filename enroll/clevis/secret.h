/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The secret of a keyslot: made and sealed to a JWE, and recovered from it. */
#pragma once

#include "crypto/pin.h"

/* What is to be sealed to; all borrowed. */
struct secret_wish {
	const char *pin;
	const json_t *config;
	bool trusting; /* servers that nothing vouches for are trusted without a question */
};

/* A zeroed struct is empty. End it with secret_done(). */
struct secret {
	struct buf plain;
	char *jwe; /* compact */
	char unproven
		[LOG_LINE_MAX]; /* why it cannot be recovered here and now; empty where it can */
};

void secret_done(struct secret *secret);

/*
 * A new secret, sealed, opened again in memory and recovered once, so that a server or a TPM that cannot do its
 * part is known before anything is written; where it need not hold now, secret->unproven says why it does
 * not. Errors: those of pin_seal(), told.
 */
MUST int secret_make(const struct secret_wish *wish, const struct log *log, struct secret *ret);

/* Recovers what a compact JWE holds to a new buffer. Errors: those of pin_recover(), told. */
MUST int secret_recover(const char *jwe, const struct log *log, struct buf *ret);
