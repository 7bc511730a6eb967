/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clevis luks regen, for clevis luks report too. */
#pragma once

#include "enroll/clevis/arguments.h"

/* Binds the slot anew to what it is bound to, after a question unless `quiet`. Returns the exit code. */
int regen(struct context *context, const struct arguments *arguments, bool quiet);
