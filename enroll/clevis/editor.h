/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A text in the person's editor. It holds no secret. */
#pragma once

#include "crypto/buf.h"
#include "crypto/log.h"

enum { EDITOR_TEXT_MAX = 64 * 1024 };

/* A file on its way; a zeroed struct is none. End it with edited_done(), which removes it. */
struct edited {
	char *folder;
	char *file;
};

void edited_done(struct edited *edited);

/* Makes a file of the text that this user alone can read. Errors: told; -EIO, -ENOMEM. */
MUST int edited_begin(const char *text, const struct log *log, struct edited *ret);

/*
 * Runs the editor on it, that of EDITOR or vi, and reads the file to a new buffer, however the editor ended. Errors: told; -ENOENT
 * (no such editor), -E2BIG, -EIO, -ENOMEM.
 */
MUST int edited_run(const struct edited *edited, const struct log *log, struct buf *ret);
