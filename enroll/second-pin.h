/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One token of a volume at most takes a PIN: libcryptsetup tries a PIN that is typed on all of them. */
#pragma once

#include "enroll/inventory.h"
#include "enroll/options.h"

/*
 * Refuses a new binding that takes a PIN, unless forced, where a token that has a keyslot takes a PIN, of whatever program; those in `gone`, a bit each, do not
 * count, nor where `but` is no NULL ours of that pin, which may be the very same binding. The cause goes to the
 * log. Errors: -EEXIST.
 */
MUST int second_pin_check(const struct luks *luks, const struct inventory *inventory,
			  const struct options *options, uint32_t gone, const char *but);
