/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The header of an sss JWE, and what can be said of the tree below it without recovering anything. */
#pragma once

#include "sss/sss.h"

/* A checked header; `children` is borrowed from it. */
struct policy {
	unsigned t, n;
	const json_t *children; /* array of n strings, compact JWEs */
	struct buf prime;
};

void policy_done(struct policy *policy);

/* Reads one header, not what is in its shares. Errors: -EBADMSG, -E2BIG, -ENOMEM. */
MUST int policy_read(const json_t *hdr, const struct log *log, struct policy *ret);

/* The text of share number i, which a JWE should be. */
struct ref policy_child(const struct policy *policy, unsigned i);

/* pin.check: whether at least as many shares as are needed can be used here, to any depth. */
int policy_check(const struct pin *const *pins, const json_t *hdr, const struct log *log);

/*
 * pin.describe: adds `threshold`, and `shares`: an array in the header's order of objects with the name
 * of the share's `pin` ("unknown" where it names none) and what that pin describes; a share that cannot
 * be used here has `unusable`, the cause, instead.
 */
int policy_describe(const struct pin *const *pins, const json_t *hdr, json_t *facts);

/* pin.wants_pin, pin.uses_network: whether any share does. */
bool policy_wants_pin(const struct pin *const *pins, const json_t *hdr);
bool policy_uses_network(const struct pin *const *pins, const json_t *hdr);
