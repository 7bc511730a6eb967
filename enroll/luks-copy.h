/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy of a volume's header in memory, on which a change is tried first. */
#pragma once

#include "enroll/luks.h"

/*
 * A volume in memory with the same metadata and with room, but no key material, in its keyslots'
 * areas. End it with luks_free(); `from` must outlive it. Reasons go to the log. Errors: -ENOMEM, -EIO,
 * others of libcryptsetup.
 */
MUST int luks_copy_header(const struct luks *from, struct luks **ret);
