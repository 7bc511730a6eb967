/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PIN that a person types in this run, once for all that is recovered. */
#pragma once

#include "crypto/buf.h"
#include "crypto/log.h"

/* p NULL: none was typed, or it was wrong. */
struct ref typed_pin(void);

/* Whether typed_pin_ask() would ask: there is a terminal, and it was not yet done. */
bool typed_pin_possible(void);

/* Asks for it at the terminal. The cause of a failure goes to `log`. Errors: those of user_pin_of_card(). */
MUST int typed_pin_ask(const struct log *log);

/* At the end, and once it was wrong: nothing else is to be tried with it. */
void typed_pin_forget(void);
