/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fresh binding on its way into a header: sealed, tried in memory, and proven once it is written. */
#pragma once

#include "enroll/luks-bind.h"
#include "enroll/options.h"
#include "enroll/signals.h"

/* What is wanted; all borrowed. */
struct fresh_wish {
	const char *pin;
	const json_t *config; /* tree_check() passed it */
	const char *label;    /* NULL: none */
	unsigned deadline;    /* seconds */
	const json_t *
		extras; /* the "cotter" member of the token before, of which what is unknown is kept; or NULL */
	struct ref user_pin;
	bool saved; /* as in struct options */
};

/* A zeroed struct is empty. End it with fresh_done(). */
struct fresh {
	struct buf secret;           /* of the keyslot to be */
	struct token token;          /* that holds it sealed */
	char *json;                  /* the same as text, without a keyslot */
	char unproven[LOG_LINE_MAX]; /* why the proof cannot be made now; empty where it can */
};

void fresh_done(struct fresh *fresh);

/*
 * A new secret, sealed under the pin and opened again in memory. The cause of a failure goes to the
 * log. Errors: those of pin_seal().
 */
MUST int fresh_seal(const struct fresh_wish *wish, const struct log *log, struct fresh *ret);

/*
 * Recovers through what was just sealed, so that a server or a TPM that cannot do its part is known
 * before anything is written; or fills fresh->unproven, where the wish excuses that. Errors: those of
 * token_recover(), told.
 */
MUST int fresh_try(const struct fresh_wish *wish, const struct log *log, struct fresh *fresh);

/*
 * Whether what was written at `bound` can stay: a fresh process opens its keyslot, or the secret in memory
 * does, where it is or now becomes unproven. Errors: those of proof_run(), -EPERM, told.
 */
MUST int fresh_prove(const struct fresh_wish *wish, const struct options *options,
		     struct luks *luks, const struct bound *bound, const struct signals *held,
		     struct fresh *fresh);
