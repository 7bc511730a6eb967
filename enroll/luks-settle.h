/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libcryptsetup does to a header in several steps, of which some lose the volume if it is stopped
 * between them: done to a copy in memory, which then replaces the header in one step.
 */
#pragma once

#include "enroll/luks.h"

/* For LUKS_REENCRYPTION_CRASH and for LUKS_REENCRYPTION_WRITTEN. */
enum luks_settle { LUKS_SETTLE_RECOVER, LUKS_SETTLE_FINISH };

/*
 * Recovers the chunk in which a re-encryption was stopped, or ends it: the old keyslots go, and their
 * key material is overwritten. `secret` opens an old and a new keyslot. `luks` is read anew. Reasons go to the log.
 * Errors: -EPERM (`secret` opens nothing), -ESTALE (another program wrote the header meanwhile), -EIO, -ENOMEM.
 */
MUST int luks_settle(struct luks *luks, struct ref secret, enum luks_settle what);
