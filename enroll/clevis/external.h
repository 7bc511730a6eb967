/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs of others: pins and commands that are called clevis-NAME somewhere on PATH. */
#pragma once

#include "crypto/util.h"

/*
 * The first executable on PATH called "clevis-" and `name`, in memory that the caller frees. Links to this
 * very program are passed over, so that nothing calls itself without end. NULL: there is none.
 */
char *external_find(const char *name);

/* Becomes that program, argv being what follows its name; returns only where it cannot be run. */
void external_exec(const char *path, char **argv);
