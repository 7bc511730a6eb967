/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The values of options: texts to checked ones. What is wrong goes to `log` as one sentence. */
#pragma once

#include "enroll/options-given.h"

/* Converts all of the general options that have values. Errors: -EINVAL. */
MUST int options_read_values(const struct given *given, const struct log *log,
			     struct options *options);

/* A decimal number below `limit`, of three digits at most, or -1. */
int options_small_number(const char *text, size_t len, int limit);
