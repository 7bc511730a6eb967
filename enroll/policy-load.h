/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --policy takes. */
#pragma once

#include "enroll/policy-text.h"

/*
 * Reads a policy: Clevis's configuration where `value` begins with {, else a file that has this
 * name and holds either form, else the form for people; then completes its leaves. *ret_pin lives
 * as long as the program, *ret_config is new and passed tree_check(). What is wrong goes to `log`
 * as one sentence. Errors: -EINVAL, -ENOMEM.
 */
MUST int policy_load(const char *value, const struct log *log, const char **ret_pin,
		     json_t **ret_config);
