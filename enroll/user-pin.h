/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PINs as people type them. They live in struct buf alone, and in a pipe to the proof. */
#pragma once

#include "crypto/buf.h"
#include "crypto/log.h"

/*
 * A new PIN, asked for twice at the terminal, in a new buffer; an empty one and two that differ are
 * refused. The cause goes to `log`. Errors: those of ask_secret(), -EINVAL.
 */
MUST int user_pin_choose(const struct log *log, struct buf *ret);

/* The PIN that a card has, asked for at the terminal. The cause goes to `log`. Errors: as user_pin_choose(). */
MUST int user_pin_of_card(const struct log *log, struct buf *ret);

/* The PIN of token `token`, asked for at the terminal. Errors: those of ask_secret(). */
MUST int user_pin_ask(unsigned token, struct buf *ret);

/* All that can be read at `fd`, to a new buffer. Errors: -EIO, -E2BIG, -ENOMEM. */
MUST int user_pin_receive(int fd, struct buf *ret);

/* The end of a pipe at which just this PIN can be read. Errors: -EIO, -E2BIG. */
MUST int user_pin_pipe(struct ref user_pin, int *ret);
