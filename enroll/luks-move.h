/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order in which a header holds its tokens, which is the order in which they are tried. */
#pragma once

#include "enroll/luks.h"

/* Ids, the first tried first. */
struct luks_order {
	unsigned ids[LUKS_TOKENS];
	size_t n;
};

/* Errors: -EIO, told. */
MUST int luks_order_read(const struct luks *luks, struct luks_order *ret);

/*
 * Moves a token behind all others: its identical JSON goes under a free id, then, in a second commit, its
 * id is removed, so that each state holds it whole. Where an end in between left such a copy behind it, that
 * is used. The cause goes to the log. Errors: -ENOENT, -ENOSPC, -EIO, -ENOMEM.
 */
MUST int luks_move_token(struct luks *luks, unsigned id, unsigned *ret_id);
