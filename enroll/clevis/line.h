/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines from standard input, where Clevis reads passphrases and answers, whether or not it is a terminal. */
#pragma once

#include "crypto/buf.h"

enum { LINE_SECRET_MAX = 64 * 1024 };

/*
 * Reads a line without echo to a new buffer, its newline removed and not a byte more than that; NULs stay. The prompt is
 * for a terminal alone. Errors: -ENODATA (the end came before anything), -E2BIG, -EIO, -ENOMEM, others
 * of ask_secret().
 */
MUST int line_secret(const char *prompt, struct buf *ret);

/* Reads the answer to a question: 0 y or Y, -ECANCELED anything else. Errors: -ENODATA, -EIO, -ENOMEM. */
MUST int line_yes(const char *question);
