/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The question of trust in a server, to a person at the terminal. */
#pragma once

#include "crypto/pin.h"

/* cot.confirm; `arg` is the struct log that is told why not. */
int trust_confirm(void *arg, const struct trust_question *question);

/*
 * Shows thumbprints at the terminal, each after `indent`, between two texts, and asks for a yes. Errors: those of
 * ask_yes(), -ENOMEM.
 */
MUST int trust_ask_yes(const char *before, const char *indent, const json_t *thumbprints,
		       const char *after);
