/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One verb on several volumes, one after the other. */
#pragma once

#include "enroll/verbs.h"

typedef enum exit_code verb_fn(const struct options *options, struct output *out);

/* The worse of the codes with which the verb ended on two volumes, as cotter-enroll(1) orders them. */
enum exit_code each_worse(enum exit_code a, enum exit_code b);

/*
 * Runs the verb on each volume that the options name, and writes the result of each; one that fails keeps
 * none from its turn. With --all those of `root` ("" but in tests); volumes without tokens of ours are
 * passed over, but by --list and --import. Returns the worst code.
 */
MUST enum exit_code each_run(const char *root, const struct options *options, verb_fn *verb,
			     struct output *out);
