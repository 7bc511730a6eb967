/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options that describe a new binding, as one pin and its configuration. */
#pragma once

#include "enroll/options-given.h"

/*
 * Fills pin and config, and what follows from them, from the pins' options and the threshold or
 * from the policy. What is wrong goes to `log` as one sentence. Errors: -EINVAL, -ENOMEM.
 */
MUST int options_read_binding(const struct given *given, const struct log *log,
			      struct options *options);
