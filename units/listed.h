/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The volumes that systemd makes units of: those of crypttab and of the kernel command line. */
#pragma once

#include "units/cmdline.h"
#include "units/crypttab.h"

/* The name is owned; what else is borrowed from crypttab and the command line may be empty. */
struct listed_volume {
	char *name;
	struct ref key, options;
};

struct listed {
	struct listed_volume *volumes;
	size_t n;
};

/*
 * Of two lines with the same name the first counts. A line that cannot be read is passed over,
 * with a line in `log`. On success the caller ends *ret with listed_done(), before the texts.
 * Errors: -ENOMEM.
 */
MUST int listed_read(struct ref crypttab, const struct cmdline *cmdline, const struct log *log,
		     struct listed *ret);

void listed_done(struct listed *listed);
