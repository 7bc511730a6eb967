/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions to the person at the terminal, through /dev/tty whatever the standard streams are. */
#pragma once

#include "crypto/buf.h"

/* Whether there is a terminal to ask at. */
bool ask_possible(void);

/*
 * Reads a line without echo to a new buffer, its newline removed. The terminal is put back also
 * when a signal ends the process meanwhile. Errors: -ENOTTY (no terminal), -ECANCELED (its end
 * came), -E2BIG, -EIO, -ENOMEM.
 */
MUST int ask_secret(const char *prompt, struct buf *ret);

/*
 * Reads the answer to a question: 0 yes, -ECANCELED anything else. Errors: -ENOTTY, -EIO, -ENOMEM.
 */
MUST int ask_yes(const char *question);
