/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The folder of a Tang server's keys: NAME.jwk is advertised, .NAME.jwk is rotated out but recovers. */
#pragma once

#include "crypto/log.h"
#include "tang/server/keys.h"

/* What was said about files that are no keys, so that it is said once. A zeroed one is empty. */
struct complaints {
	struct complaint *list;
	size_t n;
	bool patient; /* set by the caller: of a fault that is new, only the next reading says that it is there */
	size_t n_untold; /* faults of the last reading that the next one would say */
};

void complaints_done(struct complaints *complaints);

/* Whether a file of this name is a key's. */
bool folder_is_key(const char *name);

/*
 * Reads all keys of the folder, as Tang does: symbolic links are followed. A key whose file is the same as
 * in `known` (may be NULL) is taken from there. Files that cannot be used are skipped, with a line to
 * `log` where `complaints` does not have it yet. *ret is an array for keys_new() or keys_files_free().
 * Errors: those of opendir(3), -ENOMEM.
 */
MUST int folder_read(const char *path, const struct keys *known, struct complaints *complaints,
		     const struct log *log, struct keys_file **ret, size_t *ret_n);
