/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a volume of /etc/crypttab is: its device and, where that is elsewhere, its header. */
#pragma once

#include "units/crypttab.h"

/* A zeroed struct is none. */
struct place {
	char *device; /* a path */
	char *header; /* a path; NULL: on the device */
};

void place_done(struct place *place);

/* Of the volume of this line. Errors: -ENOMEM. */
MUST int place_of_entry(const struct crypttab_entry *entry, struct place *ret);

/* Of the volume called `name` in the text of crypttab. Errors: -ENOENT (it is not there), -ENOMEM. */
MUST int place_of_name(struct ref crypttab, struct ref name, struct place *ret);

/*
 * Of the volume whose device systemd-cryptsetup calls `device`: that itself, and the header that crypttab
 * has for it. A device that crypttab does not know has none. Errors: -ENOMEM.
 */
MUST int place_of_device(struct ref crypttab, const char *device, struct place *ret);
