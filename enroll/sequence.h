/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order in which a volume's tokens are tried: ours that can be met without the network, ours that need
 * it, and systemd-tpm2 tokens, of which one that fails has systemd before 262 try no other.
 */
#pragma once

#include "enroll/inventory.h"
#include "enroll/luks-move.h"
#include "enroll/output.h"
#include "enroll/signals.h"

/*
 * The tokens that are to be moved to the end, one after another, for the order to be right; those of other
 * programs with `all` alone.
 */
void sequence_plan(const struct inventory *inventory, const struct luks_order *order, bool all,
		   struct luks_order *ret_moves);

/*
 * Brings the order right, says what was moved, and adds that to out->json as "moved". A signal stops it between two moves. The cause of a failure goes to the log. Errors:
 * those of luks_move_token(), -EINTR.
 */
MUST int sequence_set(struct luks *luks, bool all, const struct signals *held, struct output *out);

/*
 * Warns of another program's token that stands before one of ours and may keep it from being tried. Errors:
 * -EIO, -ENOMEM.
 */
MUST int sequence_warn(const struct luks *luks);

/* Whether its policy can be met without the network. */
bool sequence_is_local(const struct token *token);
