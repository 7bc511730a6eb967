/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens volumes. */
#include "enroll/luks-activate.h"

#include <errno.h>

#include <libcryptsetup.h>

int luks_activate(struct luks *luks, const char *name, int keyslot, struct ref passphrase)
{
	int r;

	luks->said[0] = '\0';
	r = crypt_activate_by_passphrase(luks->cd, name, keyslot, (const char *)passphrase.p,
					 passphrase.n, 0);
	if (r >= 0)
		return 0;
	return log_err(luks->log, r == -EPERM || r == -EEXIST || r == -EBUSY ? r : -EIO,
		       "%s could not be opened as %s: %s", luks->name, name, luks_cause(luks, r));
}
