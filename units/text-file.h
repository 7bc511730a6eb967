/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole text files, such as those of /etc and /proc. */
#pragma once

#include "crypto/util.h"

/*
 * Reads a file of at most `max` bytes. *ret_text holds them and a NUL; the caller frees it. Errors:
 * those of open(2), -EIO, -E2BIG, -ENOMEM.
 */
MUST int text_file_read(const char *path, size_t max, char **ret_text, size_t *ret_n);
