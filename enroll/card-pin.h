/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PIN of the card that a new binding is for. */
#pragma once

#include "enroll/options.h"
#include "enroll/output.h"

/*
 * Looks at the cards of a configuration that has PIN_TRAIT_CARD_PIN, and has their PIN typed at the terminal where one
 * of them wants that, to a new buffer; else nothing is asked. The cause of a failure goes to out->log. Errors:
 * those of pin_seal() and user_pin_of_card().
 */
MUST int card_pin_ask(const struct options *options, struct output *out, struct buf *ret);
