/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of --import and --to-luks2. */
#pragma once

#include "enroll/options-given.h"

/* Whether what was given with them means something there. Errors: -EINVAL, told. */
MUST int options_check_import(const struct given *given, const struct log *log);
