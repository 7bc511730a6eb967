/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The recovery of a volume's passphrase through all of its tokens at once. */
#pragma once

#include "units/volume.h"

/* It keeps its address. A zeroed struct is none. */
struct recovery {
	const struct volume *volume;
	struct cot *cot;
	const struct token *only; /* of the volume's; NULL: all */
	struct job jobs[VOLUME_TOKENS_MAX];
	size_t n; /* 0: not begun */
};

/* Prepares it in a run that others may take part in; all are borrowed. */
void recovery_begin(struct recovery *recovery, struct cot *cot, const struct volume *volume,
		    const struct token *only);

/*
 * One step of each token. Once one has given a passphrase that opens the volume, that is in a new
 * buffer, and *ret_id is the token's. Errors: -EINPROGRESS, -EAGAIN (all failed, one for a cause that
 * may pass), -ENOANO (all failed, one for the want of a PIN), -ENOENT (all failed for good).
 */
MUST int recovery_step(struct recovery *recovery, struct buf *ret, int *ret_id);

/* The first token that a PIN would open, or for which that was wrong; NULL: none. */
const struct token *recovery_wants_pin(const struct recovery *recovery);

/* Why it failed, to `log` at ERROR. */
void recovery_report(const struct recovery *recovery, const struct log *log);

void recovery_done(struct recovery *recovery);
