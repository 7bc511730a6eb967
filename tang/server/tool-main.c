/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cotter-tang-keys: the keys of a Tang server. */
#include "crypto/process.h"
#include "tang/server/tool.h"

#include <stdio.h>

static enum tool_exit (*const verbs[TOOL_N_VERBS])(const struct tool_options *options,
						   const struct log *log) = {
	[TOOL_GENERATE] = tool_generate, [TOOL_ROTATE] = tool_rotate, [TOOL_LIST] = tool_list,
	[TOOL_SHOW] = tool_show,         [TOOL_PRUNE] = tool_prune,
};

static void to_stderr(void *to, enum log_level level, const char *line)
{
	(void)to;
	(void)level;
	(void)fprintf(stderr, "cotter-tang-keys: %s\n", line);
}

int main(int argc, char **argv)
{
	static const struct log log = {.sink = to_stderr};
	CLEANUP(tool_options_done) struct tool_options options = {0};
	enum tool_exit code = TOOL_OK;

	if (process_begin() < 0)
		return TOOL_FAILED;
	if (tool_options_parse(argc, argv, &log, &options) < 0)
		return TOOL_USAGE;

	if (options.verb == TOOL_HELP)
		(void)fputs(tool_help, stdout);
	else if (options.verb == TOOL_VERSION)
		(void)puts("cotter-tang-keys " COTTER_VERSION);
	else
		code = verbs[options.verb](&options, &log);

	return fflush(stdout) == EOF || ferror(stdout) ? TOOL_FAILED : (int)code;
}
