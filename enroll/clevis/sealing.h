/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What commands do with pins: secrets into JWEs, and out of them again. */
#pragma once

#include "crypto/pin.h"

/* What is wanted; all borrowed. */
struct sealing {
	const char *pin;
	const json_t *config; /* of pin_config_read() */
	bool yes;             /* whatever answers is trusted: -y */
};

/* Seals `secret`; a card's PIN is asked for at the terminal. The cause of a failure goes to `log` at ERROR. Errors: those of pin_seal(). */
MUST int sealing_run(const struct sealing *wish, struct ref secret, const struct log *log,
		     struct jwe *ret);

/*
 * Recovers what a compact JWE holds, to a new buffer. The causes of a failure go to `log` at ERROR, a line a
 * leaf. A PIN that is wanted is asked for at the terminal, once a run. Errors: those of pin_recover().
 */
MUST int sealing_open(struct ref text, const struct log *log, struct buf *ret);

/* The same until then (CLOCK_MONOTONIC). */
MUST int sealing_open_by(struct ref text, uint64_t deadline_us, const struct log *log,
			 struct buf *ret);
