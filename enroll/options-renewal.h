/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of --renew: what is to be known of the leaves that are bound again. */
#pragma once

#include "enroll/options-given.h"

/* Whether what was given with --renew means something there. Errors: -EINVAL, told. */
MUST int options_check_renewal(const struct given *given, const struct log *log);

/* Fills wishes from the pins' options. Errors: -EINVAL, told, -ENOMEM. */
MUST int options_read_renewal(const struct given *given, const struct log *log,
			      struct options *options);
