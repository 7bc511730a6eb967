/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the marks that say how a volume is bound and when it is wanted. */
#include "units/order.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>

/* What the options token-type= say; there may be several, for volumes with several tokens. */
struct types {
	bool ours;
	bool local; /* one of them that may be opened without the network */
};

static struct types read_types(struct ref options)
{
	static const char key[] = "token-type=";
	struct types types = {0};
	struct ref option;

	while (crypttab_option_next(&options, &option)) {
		if (!ref_begins(option, key))
			continue;
		option = (struct ref){option.p + strlen(key), option.n - strlen(key)};
		if (ref_begins(option, "cotter-"))
			types.ours = true;
		if (!ref_is(option, "cotter-tang"))
			types.local = true;
	}
	return types;
}

bool order_is_ours(const struct listed_volume *volume)
{
	return read_types(volume->options).ours;
}

/* What holds /usr or the root file system was opened in the initramfs, said or not. */
static bool opened_in_initrd(const struct listed_volume *volume)
{
	return crypttab_option(volume->options, "x-initrd.attach", NULL) ||
	       strcmp(volume->name, "root") == 0 || strcmp(volume->name, "usr") == 0;
}

/*
 * Whether a line of fstab makes local-fs.target or swap.target wait for the device. Swap does so
 * in any case, since systemd knows no other.
 */
static bool is_local_user(const struct mntent *line, const char *name)
{
	static const char mapper[] = "/dev/mapper/";
	struct ref options = ref_str(line->mnt_opts);

	if (strncmp(line->mnt_fsname, mapper, strlen(mapper)) != 0 ||
	    strcmp(line->mnt_fsname + strlen(mapper), name) != 0 ||
	    crypttab_switch(options, "noauto", "auto"))
		return false;
	if (strcmp(line->mnt_type, "swap") == 0)
		return true;
	return !crypttab_option(options, "_netdev", NULL) &&
	       !crypttab_option(options, "x-systemd.automount", NULL) &&
	       !crypttab_switch(options, "nofail", "fail");
}

static int has_local_user(struct ref fstab, const char *name)
{
	const struct mntent *line;
	bool found = false;
	FILE *f;

	if (fstab.n == 0)
		return 0;
	f = fmemopen((void *)(uintptr_t)fstab.p, fstab.n, "r");
	if (!f)
		return -ENOMEM;
	while (!found && (line = getmntent(f)))
		found = is_local_user(line, name);
	(void)endmntent(f);
	return found;
}

int order_of(const struct listed_volume *volume, bool initrd, struct ref fstab, enum order *ret)
{
	struct types types = read_types(volume->options);
	bool netdev = crypttab_option(volume->options, "_netdev", NULL);
	enum order order = ORDER_NONE;
	int r;

	if (!types.ours || (!netdev && types.local) || (!initrd && opened_in_initrd(volume))) {
		*ret = order;
		return 0;
	}
	if (initrd) {
		order = ORDER_NETWORK;
	} else if (!netdev) {
		if (!crypttab_switch(volume->options, "noauto", "auto"))
			order = ORDER_NO_NETDEV;
	} else {
		r = has_local_user(fstab, volume->name);
		if (r < 0)
			return r;
		order = r ? ORDER_LOCAL_USER : ORDER_NETWORK;
	}
	*ret = order;
	return 0;
}
