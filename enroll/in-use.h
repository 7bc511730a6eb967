/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The LUKS2 volumes that are open, as the kernel tells them in /sys/block. */
#pragma once

#include "crypto/util.h"

enum { IN_USE_DEVICES_MAX = 8, IN_USE_UUID_SIZE = 32 };

/* One that is open, and what its data is on: devices of cryptsetup's own may be in between. */
struct in_use_volume {
	char *name;                      /* under which it is open */
	char uuid[IN_USE_UUID_SIZE + 1]; /* without its dashes */
	char *devices[IN_USE_DEVICES_MAX];
	size_t n;
};

/* A zeroed struct is empty. */
struct in_use {
	struct in_use_volume *volumes; /* in the order of their numbers */
	size_t n;
};

void in_use_done(struct in_use *in_use);

/*
 * `root` is "" but in tests, and all paths begin with it. What the kernel does not tell is taken for none.
 * Errors: -ENOMEM.
 */
MUST int in_use_read(const char *root, struct in_use *ret);
