/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a new binding may be made although its secret cannot be recovered here and now. */
#pragma once

#include "enroll/tree.h"

/*
 * Whether what was sealed under this pin and configuration, and whose recovery is the finished
 * `job`, would open if all those of its leaves did that cannot yet, as they were bound: servers
 * that are bound to from saved data and out of reach, and TPMs whose PCRs have other values yet
 * or whose policy nobody signed yet. Leaves that nobody came to ask count as such that hold.
 * False where the leaves that did open suffice, so that something else is wrong, and out of
 * memory.
 */
bool excused(const char *pin, const json_t *config, const struct job *job);
