/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole text files, such as those of /etc and /proc. */
#pragma once

#include "crypto/buf.h"

/*
 * Reads a file of at most `max` bytes into a new buffer, behind whose bytes there is a NUL. Errors: those
 * of open(2), -EIO, -E2BIG, -ENOMEM.
 */
MUST int text_file_read(const char *path, size_t max, struct buf *ret);
