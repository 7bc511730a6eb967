/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are there whole or not at all, whatever happens meanwhile. */
#pragma once

#include "crypto/buf.h"

#include <sys/stat.h>

/* What a file is called until it is whole: no server takes that for a key. */
#define PUT_SUFFIX ".new"

/*
 * Makes the file `name` of the folder open at `folder`, or replaces it: under another name first, which is
 * in nobody else's reach until its mode is `mode`, on disk before it gets its own. `owner`, where given,
 * is whose owner and group it gets, as far as this user may set them. On error nothing is left.
 * Errors: those of openat(2), write(2), fsync(2) and renameat(2), -ENAMETOOLONG.
 */
MUST int put_file(int folder, const char *name, struct ref text, mode_t mode,
		  const struct stat *owner);

/* The same for the file of a path. */
MUST int put_path(const char *path, struct ref text, mode_t mode);
