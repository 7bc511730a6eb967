/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What opens a volume already, as Clevis comes by it. */
#pragma once

#include "enroll/clevis/volume.h"

/* How it is given; all zero but `token`: as a line on standard input. */
struct credential {
	bool silent;          /* no prompt for that line, and none for a newline at its end */
	const char *key_file; /* NULL: none; else the whole of it */
	int token;            /* VOLUME_ANY: none; else what this LUKS2 token gives */
};

/*
 * The volume key to a new buffer. Where a passphrase opens nothing, the secrets of the bindings are tried, and then
 * another passphrase is asked for. Reasons go to the log. Errors: -EPERM, -ENODATA (standard input is at its
 * end), -EOPNOTSUPP (LUKS1 has no tokens), -EIO, -ENOMEM.
 */
MUST int credential_unlock(const struct credential *credential, struct volume *volume,
			   struct buf *ret);

/* The same without a first passphrase. */
MUST int credential_recover(struct volume *volume, struct buf *ret);

/*
 * The secret of the binding at this slot, if it opens the volume, to a new buffer. The cause of a failure goes to the
 * log. Errors: those of sealing_open(), -ENOENT (no binding), -EPERM.
 */
MUST int credential_by_slot(struct volume *volume, unsigned slot, struct buf *ret);

/*
 * The secret of the first binding whose secret can be recovered and opens the volume, to a new buffer, and the
 * keyslot that it opens (LUKS_ANY: not that of the binding's number). Of each other the cause goes to the log. Errors:
 * -EPERM, -ENOMEM.
 */
MUST int credential_by_binding(struct volume *volume, struct buf *ret, int *ret_keyslot);
