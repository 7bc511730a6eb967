/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A re-encryption that lost power while libcryptsetup wrote that it is within a chunk: it writes a copy of the
 * chunk and the first copy of the metadata without a sync between them, so that may be there and the chunk's
 * copy not, and what lies in its place would be written over the chunk. The second copy of the
 * metadata is written behind a sync, and the chunk behind that: as long as the two differ, the chunk is as it
 * was, and the second is right.
 */
#pragma once

#include "crypto/log.h"

#include <jansson.h>

/* Whether the first copy says "within a chunk" and the second does not. Pure. */
bool torn_is(const json_t *first, const json_t *second);

/*
 * Makes the second copy count where that is so. To be called before libcryptsetup opens the header, since it
 * would copy the first over the second. What is not a LUKS2 header is left alone. Reasons go to the
 * log. Errors: -EIO, -ENOMEM.
 */
MUST int torn_mend(const char *path, const struct log *log);
