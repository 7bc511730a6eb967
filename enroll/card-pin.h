/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PIN of the card that a new binding is for. */
#pragma once

#include "enroll/options.h"
#include "enroll/output.h"

/* What the cards of a configuration want. */
struct card_pins {
	bool typed;     /* one wants its PIN to be typed here */
	bool otherwise; /* one has a PIN pad, or wants none */
};

/*
 * Looks at the cards of a configuration whose PIN is not in it. The cause of a failure goes to `log`. Errors: those of
 * pin_seal().
 */
MUST int card_pins_look(const char *pin, const json_t *config, const struct log *log,
			struct card_pins *ret);

/*
 * Has the PIN typed at the terminal where that is wanted, to a new buffer; else nothing is asked. The cause of a
 * failure goes to out->log. Errors: those of card_pins_look() and user_pin_of_card().
 */
MUST int card_pin_ask(const struct options *options, struct output *out, struct buf *ret);
