/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks and enables the key socket of a volume. */
#include "enroll/key-socket.h"

#include "units/cmdline.h"
#include "units/crypttab.h"
#include "units/unit-name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATE UNITS_DIR "/cotter-key@.socket"
#define WANTS    "/etc/systemd/system/sysinit.target.wants"

/* A number is that of a PCR, 0 too. */
bool key_socket_wanted(struct ref options)
{
	struct ref value;

	return crypttab_option(options, "tpm2-measure-pcr", &value) && value.n > 0 &&
	       (ref_is(value, "0") || cmdline_bool(value) != 0);
}

int key_socket_check(struct luks *luks, struct ref options, uint32_t ours)
{
	struct ref tries;

	if (access(TEMPLATE, F_OK) < 0)
		return log_err(luks->log, -ENOENT,
			       "the unit %s, which a volume with tpm2-measure-pcr= needs, is not "
			       "installed",
			       TEMPLATE);
	if (crypttab_option(options, "tries", &tries) && ref_is(tries, "1"))
		return log_err(luks->log, -EPERM,
			       "crypttab has tpm2-measure-pcr= with tries=1, and a failed key "
			       "socket would use that try up: remove tries=1");
	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++)
		if (luks_keyslot(luks, i) == LUKS_KEYSLOT_ACTIVE && !(ours & UINT32_C(1) << i) &&
		    luks_keyslot_opens(luks, i, ref_str("")) == 0)
			return log_err(luks->log, -EPERM,
				       "keyslot %u of %s opens with the empty passphrase, which a "
				       "failed key socket is taken for where crypttab has "
				       "tpm2-measure-pcr=: remove it with cryptsetup luksKillSlot",
				       i, luks->name);
	return 0;
}

int key_socket_enable(const char *volume, const struct log *log, char **ret)
{
	CLEANUP(free_text) char *unit = NULL, *path = NULL;
	int r;

	r = unit_name_of("cotter-key@", volume, ".socket", &unit);
	if (r < 0)
		return r == -EINVAL
			       ? log_err(log, r, "\"%s\" is too long for a unit's name", volume)
			       : r;
	if (asprintf(&path, WANTS "/%s", unit) < 0)
		return -ENOMEM;

	if ((mkdir(WANTS, 0755) < 0 && errno != EEXIST) ||
	    (symlink(TEMPLATE, path) < 0 && errno != EEXIST))
		return log_err(log, -EIO, "%s could not be made: %s", path, strerror(errno));
	*ret = TAKE_PTR(unit);
	return 0;
}
