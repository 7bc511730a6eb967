/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What follows a binding: the order of tokens, and crypttab. */
#pragma once

#include "enroll/luks.h"
#include "enroll/verbs.h"

/*
 * Sees to both after a binding that was made or was there, where `code` says that it is; takes nothing
 * from it. Says what failed, and returns EXIT_CODE_FAILED then, else `code`.
 */
MUST enum exit_code follow_binding(struct luks *luks, const struct options *options,
				   const struct token *token, enum exit_code code,
				   struct output *out);
