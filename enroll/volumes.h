/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The LUKS2 volumes of this machine: those that crypttab has, and those that are open without it. */
#pragma once

#include "crypto/log.h"
#include "units/place.h"

enum found_state {
	FOUND_BOUND, /* LUKS2 with tokens of ours, or what cannot be read, as opening it will tell */
	FOUND_BARE,  /* LUKS2 without */
	FOUND_OTHER,    /* of another kind */
	FOUND_AWAY,     /* its device is not there */
	FOUND_HEADLESS, /* its header is where we do not know */
};

struct found {
	char *name; /* in crypttab, or under which it is open */
	struct place place;
	enum found_state state;
};

/* A zeroed struct is empty. */
struct volumes {
	struct found *found;
	size_t n;
};

void volumes_done(struct volumes *volumes);

/*
 * Finds each once, those of crypttab first, in its order. `root` is "" but in tests, and all paths begin with
 * it. A crypttab that cannot be read goes to `log`, as one sentence. Errors: -EIO, -ENOMEM.
 */
MUST int volumes_find(const char *root, const struct log *log, struct volumes *ret);
