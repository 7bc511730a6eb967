/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What crypttab has to say of a volume's tokens: their types, and whether they need the network. */
#pragma once

#include "enroll/inventory.h"

/* Of tokens that open the volume. A zeroed struct is of none. */
struct marks {
	uint32_t pins;     /* their root pins, a bit for each place in the table of pins */
	bool local;        /* one of them can be met without the network */
	bool late;         /* one of them can be met after the initramfs */
	uint32_t keyslots; /* that their secrets open, a bit each */
};

/*
 * Whether a policy can be met without the network: `facts` are what tree_describe() or
 * token_describe() give of it, `pin` is its root.
 */
bool marks_local(const char *pin, const json_t *facts);

/* Adds a token of this root pin. */
void marks_add(struct marks *marks, const char *pin, const json_t *facts);

/*
 * Of our tokens that can be used and have a keyslot, but for those whose bit is set in `without`.
 * Errors: -ENOMEM.
 */
MUST int marks_of(const struct inventory *inventory, uint32_t without, struct marks *ret);

/*
 * The same as options between commas: "token-type=cotter-tang,_netdev". Room for all pins there are is the
 * caller's. Errors: -E2BIG.
 */
MUST int marks_text(const struct marks *marks, struct buf *text);
