/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file crypttab: read whole, and replaced in one step, so that it is never there by halves. */
#pragma once

#include "crypto/buf.h"
#include "crypto/log.h"

/* A zeroed struct is none. */
struct crypttab_file {
	char *path; /* where it really is, all links followed */
	struct buf text;
	bool there; /* else the text is empty */
};

void crypttab_file_done(struct crypttab_file *file);

/*
 * Reads it, and makes sure that this user can replace it. The cause goes to `log`. Errors: -EACCES,
 * -ENOENT (a link to nothing), -E2BIG, -EIO, -ENOMEM.
 */
MUST int crypttab_file_read(const char *path, const struct log *log, struct crypttab_file *ret);

/*
 * Puts a file with the new text, and the owner and mode of the old, in its place; a new one is root's
 * alone. On failure the old one is still there. The cause goes to `log`. Errors: -EIO, -ENOMEM.
 */
MUST int crypttab_file_write(const struct crypttab_file *file, struct ref text,
			     const struct log *log);
