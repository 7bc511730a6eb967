/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether something uses a device or image, as the kernel tells without device-mapper. */
#pragma once

#include "crypto/util.h"

/*
 * Looks at the block device or file `path`; `root` is "" but in tests, and is where /sys is looked for.
 * Errors: -EBUSY (it is mounted, or a volume on it is open, or a loop device is on it), -EIO, -ENOMEM.
 */
MUST int busy_look(const char *root, const char *path);
