/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The recovery of a volume's passphrase through all of its tokens at once. */
#pragma once

#include "units/volume.h"

/* It keeps its address. A zeroed struct is none. */
struct recovery {
	const struct volume *volume;
	struct cot *cot;
	struct job jobs[VOLUME_TOKENS_MAX];
	size_t n; /* 0: not begun */
};

/* Prepares it in a run that others may take part in; both are borrowed. */
void recovery_begin(struct recovery *recovery, struct cot *cot, const struct volume *volume);

/*
 * One step of each token. Once one has given a passphrase that opens the volume, that is in a new
 * buffer, and *ret_id is the token's. Errors: -EINPROGRESS, -EAGAIN (all failed, one for a cause that
 * may pass), -ENOENT (all failed for good).
 */
MUST int recovery_step(struct recovery *recovery, struct buf *ret, int *ret_id);

/* Why it failed, to `log` at ERROR. */
void recovery_report(const struct recovery *recovery, const struct log *log);

void recovery_done(struct recovery *recovery);
