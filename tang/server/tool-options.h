/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of cotter-tang-keys. */
#pragma once

#include "crypto/jwk.h"
#include "crypto/log.h"

enum tool_verb {
	TOOL_HELP,
	TOOL_VERSION,
	TOOL_GENERATE,
	TOOL_ROTATE,
	TOOL_LIST,
	TOOL_SHOW,
	TOOL_PRUNE,
	TOOL_N_VERBS,
};

struct tool_options {
	enum tool_verb verb;
	const char *folder;
	const struct curve *curve;
	bool add;
	bool json;
	bool force;
	unsigned days;            /* prune: for how many a key was not used */
	const char *const *usage; /* n_usage files, in argv's order */
	size_t n_usage;
};

extern const char tool_help[];

/*
 * Reads the command line; a fault is said to `log`. Strings are borrowed from argv; end it with
 * tool_options_done(). Errors: -EINVAL, -ENOMEM.
 */
MUST int tool_options_parse(int argc, char **argv, const struct log *log, struct tool_options *ret);

void tool_options_done(struct tool_options *options);
