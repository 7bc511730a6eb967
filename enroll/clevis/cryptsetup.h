/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cryptsetup itself, for parameters that only it knows. */
#pragma once

#include "crypto/buf.h"

enum { CRYPTSETUP_KEY_MAX = 4096 }; /* what a pipe takes at once */

/*
 * Becomes cryptsetup open with these parameters, which white space divides, the key on its standard input, and
 * without tokens, which it would ask instead. Returns only where that cannot be. Errors: -E2BIG, -ENOMEM, those of
 * execve(2).
 */
MUST int cryptsetup_open(const char *device, const char *name, const char *parameters,
			 struct ref key);
