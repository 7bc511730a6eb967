/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs of cotter-tang-keys; each prints what it found or did, and says what failed to `log`. */
#pragma once

#include "tang/server/tool-options.h"

enum tool_exit { TOOL_OK, TOOL_FAILED, TOOL_USAGE };

MUST enum tool_exit tool_generate(const struct tool_options *options, const struct log *log);
MUST enum tool_exit tool_rotate(const struct tool_options *options, const struct log *log);
MUST enum tool_exit tool_list(const struct tool_options *options, const struct log *log);
MUST enum tool_exit tool_show(const struct tool_options *options, const struct log *log);
MUST enum tool_exit tool_prune(const struct tool_options *options, const struct log *log);

struct usage;

/*
 * Reads the records that the options name, or the folder's own; usage->keys stays NULL where there is none. What
 * is wrong with one is said to `log`. Errors: those of usage_load(), but that the folder's own is missing.
 */
MUST int tool_read_usage(const struct tool_options *options, const struct log *log,
			 struct usage *usage);
