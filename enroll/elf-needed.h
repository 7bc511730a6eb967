/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The libraries that a program or library is linked with. */
#pragma once

#include "crypto/js.h"

/*
 * Reads them from a file of this machine's own kind, as a new array of their names. Errors: those of open(2),
 * -EBADMSG (it is no such file, or damaged), -E2BIG, -EIO, -ENOMEM.
 */
MUST int elf_needed(const char *path, json_t **ret);
