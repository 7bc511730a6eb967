/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a token does not open its volume now only because its policy holds in the initramfs alone. */
#pragma once

#include "crypto/pin.h"

/*
 * `facts` are inventory_facts() of the token, `job` its failed recovery. True where the policy would
 * hold if all those leaves did whose only fault is that PCR 15 is not as it is when the machine starts.
 */
bool early(const json_t *facts, const struct job *job);

/* Whether that is all that keeps the leaf with these facts, which did not recover, from it. */
bool early_leaf(const json_t *facts);
