/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The key socket (cotter-agent(8)) of a volume whose key systemd-cryptsetup measures, and which it
 * therefore opens by no token.
 */
#pragma once

#include "enroll/luks.h"

/* Whether crypttab's options have the key measured. */
bool key_socket_wanted(struct ref options);

/*
 * Whether there is a socket unit, and it would do no harm: an empty answer of it is tried as an empty passphrase, and uses up a
 * try. `ours` are the keyslots, a bit each, that our tokens' secrets open. The cause goes to the log. Errors:
 * -ENOENT (it is not installed), -EPERM.
 */
MUST int key_socket_check(struct luks *luks, struct ref options, uint32_t ours);

/*
 * Enables it for the volume called so, as systemctl would. *ret is the unit's name, which the caller frees.
 * The cause goes to `log`. Errors: -EINVAL, -EIO, -ENOMEM.
 */
MUST int key_socket_enable(const char *volume, const struct log *log, char **ret);
