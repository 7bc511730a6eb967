/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compressed files, read through the programs that make them, in a process of their own. */
#pragma once

#include "crypto/log.h"

#include <stdio.h>
#include <sys/types.h>

enum { UNPACK_MAGIC = 6 };

/* A zeroed struct is none. End it with unpack_done(), which waits for the program. */
struct unpack {
	FILE *from; /* what comes out of it */
	pid_t child;
};

/*
 * Starts the program for what begins so, at this place of the open file. The cause goes to `log`. Errors:
 * -EMEDIUMTYPE (this is no compression that is known; not logged), -ENOENT (the program is not installed), -EIO.
 */
MUST int unpack_begin(int fd, off_t offset, const uint8_t magic[UNPACK_MAGIC],
		      const struct log *log, struct unpack *ret);

void unpack_done(struct unpack *unpack);
