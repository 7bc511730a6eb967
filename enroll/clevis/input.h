/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standard input and output of commands that are filters. */
#pragma once

#include "crypto/buf.h"

enum { INPUT_MAX = 128 * 1024 * 1024 /* bytes: a JWE of as much as jwe_seal() takes */ };

/* Reads standard input to its end, to a new buffer. Errors: those of read(2), -E2BIG, -ENOMEM. */
MUST int input_read(struct buf *ret);

/* Writes to standard output. Errors: those of write(2). */
MUST int output_write(struct ref bytes);
