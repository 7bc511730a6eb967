/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a Tang server does what it is there for. */
#pragma once

#include "tang/server/keys.h"

/*
 * Whether an advertisement can be given, and a recovery with the advertised exchange key gives what
 * a client computes for itself with a key just made. Costs three multiplications. Errors: -ENOKEY (no
 * pair is advertised), -EIO (the result is wrong), -ENOMEM.
 */
MUST int check_keys(struct keys *keys);
