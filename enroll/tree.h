/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree that a pin's name and Clevis's configuration object for it are: a leaf, or the policy
 * {"t": N, "pins": {"tang": [{…}, …], "tpm2": {…}, "sss": {"t": …}}} of the pin "sss".
 */
#pragma once

#include "enroll/options-pin.h"

#include "sss/config.h"

/* The pin whose configuration is a tree. */
#define TREE_PIN "sss"

/* Whether this pin's configuration has parts. */
bool tree_is_node(const char *pin);

/* Adds a part to the "pins" of a node. The caller keeps `config`. Errors: -ENOMEM. */
MUST int tree_add(json_t *into, const char *pin, json_t *config);

/*
 * Whether it is a tree of known pins with known members and thresholds that can be met. The cause
 * goes to `log` as one sentence. Errors: -EINVAL, -ENOMEM.
 */
MUST int tree_check(const char *pin, const json_t *config, const struct log *log);

/*
 * Calls `fn` for each leaf of a checked tree, in the order of the shares, until it returns an
 * error. Errors: those of `fn`, -ENOMEM.
 */
typedef int (*tree_fn)(void *arg, const struct pin_options *of, json_t *config);
MUST int tree_each(const char *pin, json_t *config, tree_fn fn, void *arg);

/* A copy to be shown, without the secrets that are in it. Errors: -ENOMEM. */
MUST int tree_conceal(const char *pin, const json_t *config, json_t **ret);

/* What follows from any of the leaves: enum pin_trait. Errors: -ENOMEM. */
MUST int tree_traits(const char *pin, const json_t *config, unsigned *ret);

/* Bytes that a compact JWE of it takes, and so its token at the very least. Errors: -ENOMEM. */
MUST int tree_size_min(const char *pin, const json_t *config, size_t *ret);

/*
 * What the tree is, as the pins describe it: a new object with "pin" and what
 * pin_options.describe() adds, or with "pin", "threshold" and "shares", an array of the same.
 * Errors: -ENOMEM.
 */
MUST int tree_describe(const char *pin, const json_t *config, json_t **ret);
