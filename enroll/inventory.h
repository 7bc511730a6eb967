/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a header holds, read once: keyslots, and tokens parsed where they are ours. */
#pragma once

#include "enroll/luks.h"
#include "token/token.h"

/* One token of the header. */
struct item {
	unsigned id;
	char *type;
	uint32_t keyslots; /* that it names and that exist, a bit each */
	bool ours;         /* of one of cotter's types, also where malformed */
	bool valid;        /* `token` is filled */
	struct token token;
	char why[LOG_LINE_MAX]; /* of ours and not valid */
};

/* A zeroed struct is empty. End it with inventory_done(). */
struct inventory {
	uint32_t active;  /* keyslots that hold the volume key, a bit each */
	uint32_t unbound; /* keyslots that hold another key */
	struct item *items;
	size_t n;
};

/* Errors: -ENOMEM. */
MUST int inventory_read(const struct luks *luks, struct inventory *ret);

void inventory_done(struct inventory *inventory);

/*
 * Takes token `id`, where it is Clevis's, for the cotter token that it can become (enroll/clevis-token.h).
 * Errors: -ENOMEM.
 */
MUST int inventory_adopt(struct inventory *inventory, const struct luks *luks, unsigned id);

/* The token with this id, or NULL. */
const struct item *inventory_find(const struct inventory *inventory, unsigned id);

/*
 * Whether there is a cotter token to look at: this one, or where `id` is negative any. What is there
 * instead is told. Errors: -ENOENT.
 */
MUST int inventory_check_ours(const struct inventory *inventory, const struct luks *luks, int id);

/*
 * The cotter token with this id, or where it is negative the only one. What is there instead is told.
 * Errors: -ENOENT, -EINVAL (there are several).
 */
MUST int inventory_choose(const struct inventory *inventory, const struct luks *luks, int id,
			  unsigned *ret);

/*
 * What token_describe() gives of a valid token, and what this machine can say of it now, as a new
 * object; NULL where it is not valid, and out of memory.
 */
json_t *inventory_facts(const struct item *item);

/* A new array of the numbers whose bits are set; NULL out of memory. */
json_t *inventory_numbers(uint32_t bits);
