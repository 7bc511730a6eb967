/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who can open what a policy guards, worked out over its whole tree. */
#pragma once

#include "crypto/js.h"

/*
 * Works it out for what tree_describe() or a pin describes, and adds to `result`, an object:
 * "alone", who opens it without anybody else; "needed", who must be there whatever else is, both
 * arrays of what tree_who() calls them; and "warnings", an array of sentences. Leaves that are
 * called the same are the same. Errors: -ENOMEM.
 */
MUST int quorum_explain(const json_t *facts, json_t *result);
