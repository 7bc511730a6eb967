/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which volumes are opened only after the network is there. */
#pragma once

#include "units/listed.h"

enum order {
	ORDER_NONE,      /* it needs no network, or does not wait for it */
	ORDER_NETWORK,   /* after network-online.target */
	ORDER_NO_NETDEV, /* bound to the network alone, but among the local volumes */
	ORDER_LOCAL_USER, /* _netdev is right, but fstab makes local file systems or swap wait for it */
};

/*
 * Decided by the options of crypttab alone, since devices are not there yet. `fstab` is the text of
 * /etc/fstab, and of no account in the initramfs. Errors: -ENOMEM.
 */
MUST int order_of(const struct listed_volume *volume, bool initrd, struct ref fstab,
		  enum order *ret);

/* Whether the volume is one that our plugins are to open. */
bool order_is_ours(const struct listed_volume *volume);
