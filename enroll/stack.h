/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands on a block device, as the kernel tells it in /sys and /proc. */
#pragma once

#include "crypto/util.h"

#include <stdbool.h>
#include <sys/types.h>

/* A zeroed struct is of nothing. */
struct stack {
	char *name;  /* under which its LUKS volume is open; NULL: it is not */
	bool system; /* the root or /usr file system is on it, over whatever is in between */
};

void stack_done(struct stack *stack);

/*
 * Of the device with this number; `root` is "" but in tests. What the kernel does not tell is taken for no.
 * Errors: -ENOMEM.
 */
MUST int stack_look(const char *root, dev_t device, struct stack *ret);
