/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A binding takes the place of the one at the same slot. What the old one says of itself, as the signing keys of a
 * server, is believed only where its own secret opened its keyslot: else its header may be anyone's writing, and
 * a person is asked.
 */
#pragma once

#include "enroll/clevis/arguments.h"

/*
 * Finishes first what an interrupted run left in the header; where that cannot be done now, it stays. Errors: -EIO,
 * told, -ENOMEM.
 */
MUST int rebind_resume(struct volume *volume);

/*
 * Binds the slot again: to `config`, or (NULL) to what it is bound to. Servers that the configuration does not say how
 * to trust are trusted where a signing key vouches that the binding holds, or a person says so. Reasons go to the
 * log. Errors: -EKEYREJECTED, those of credential_recover(), secret_make() and volume_format.replace.
 */
MUST int rebind(struct volume *volume, unsigned slot, const struct bound_to *bound_to,
		const json_t *config);
