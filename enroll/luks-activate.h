/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A volume is opened to a device of its own. */
#pragma once

#include "enroll/luks.h"

/*
 * Makes /dev/mapper/NAME of it by a passphrase of this keyslot, or (LUKS_ANY) of any. Reasons go to the log. Errors:
 * -EPERM (it opens no keyslot), -EEXIST (the name is taken), -EBUSY, -EIO.
 */
MUST int luks_activate(struct luks *luks, const char *name, int keyslot, struct ref passphrase);
