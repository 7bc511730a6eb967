/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a volume's line of crypttab is to become, decided as a whole before anything is written. */
#pragma once

#include "enroll/crypttab-file.h"
#include "enroll/marks.h"
#include "enroll/options.h"

/* A zeroed struct is none. */
struct crypttab_plan {
	struct crypttab_file file;
	struct buf text;  /* what the file is to hold */
	char *name;       /* the volume's */
	char *old, *line; /* its line, as it is (NULL: there is none) and as it will be */
	bool initramfs;   /* the volume is opened there */
	bool socket;      /* it needs the key socket */
};

void crypttab_plan_done(struct crypttab_plan *plan);

/* Whether there is something to change in the file. */
bool crypttab_plan_changes(const struct crypttab_plan *plan);

/*
 * Decides for a volume with these tokens, and refuses what cannot be. `root` is "" but in tests. The cause
 * goes to the log. Errors: those of crypttab_file_read() and crypttab_set(), -EPERM (the key socket would do
 * harm, or the policy ends before the volume is opened), -ENOENT.
 */
MUST int crypttab_plan_make(const char *root, struct luks *luks, const struct options *options,
			    const struct marks *marks, struct crypttab_plan *ret);
