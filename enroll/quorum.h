/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who can open what a policy guards, worked out over its whole tree. */
#pragma once

#include "crypto/js.h"

/* Whether a leaf counts. `pin` is NULL where its facts do not say. */
typedef bool (*quorum_leaf_fn)(void *arg, const char *pin, const json_t *facts);

/*
 * Whether a policy is met by those leaves that count and can be used: `facts` are what tree_describe() or a
 * pin describes, `pin` is its root. Each leaf is asked about once, in order.
 */
bool quorum_met(const char *pin, const json_t *facts, quorum_leaf_fn counts, void *arg);

/*
 * Works it out for what tree_describe() or a pin describes, and adds to `result`, an object:
 * "alone", who opens it without anybody else; "needed", who must be there whatever else is, both
 * arrays of what tree_who() calls them; and "warnings", an array of sentences. Leaves that are
 * called the same are the same. Errors: -ENOMEM.
 */
MUST int quorum_explain(const json_t *facts, json_t *result);
