/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --to-luks2: a LUKS1 volume becomes LUKS2, and what luksmeta holds of Clevis's bindings becomes Clevis's tokens. */
#pragma once

#include "enroll/options.h"
#include "enroll/output.h"

/*
 * Nothing is done to what is not LUKS1. Adds "converted" to out->json, and says what was done. Errors: -EBUSY (in use),
 * -EPERM (luksmeta has what LUKS2 has no place for), -EBADMSG (luksmeta is damaged), -EINTR, and those of
 * luks_open() and luks1_convert_write(), told; nothing was written then, but with -EIO.
 */
MUST int to_luks2(const struct options *options, struct output *out);
