/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a configuration is bound to in the place of a binding whose own word can be believed. */
#pragma once

#include "crypto/pin.h"

/*
 * The configuration, a new one, in which each server that it does not say how to trust has the keys that it advertises
 * now, if a signing key vouches for them that the old binding holds; `job` is that one's recovery, which
 * surveyed. Others stay as they are, for a person to be asked about. Errors: those of the network where such a
 * server cannot be asked, told, -ENOMEM.
 */
MUST int again_plan(const struct job *job, const char *pin, const json_t *config,
		    const struct log *log, json_t **ret);
