/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cotter-clevis: finds the command in the name that it was called by and the words after that. */
#include "crypto/process.h"
#include "enroll/clevis/command.h"
#include "enroll/clevis/environment.h"
#include "enroll/clevis/external.h"
#include "enroll/clevis/overview.h"
#include "enroll/clevis/typed.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 128 };

#define PREFIX "clevis-"

/* Where in the arguments the command's own begin, and its name. */
struct call {
	const struct command *command; /* NULL: none of ours */
	char *external;                /* the path of another's program, or NULL */
	char **argv;                   /* whose first is the last word of the name */
	int argc;
	char name[NAME_MAX_BYTES];
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool found(struct call *call)
{
	call->command = command_find(call->name);
	if (!call->command)
		call->external = external_find(call->name);
	return call->command || call->external;
}

/* As Clevis does it: words are added until a program has that name, and an option ends them. */
static bool find_by_words(int argc, char **argv, struct call *call)
{
	size_t n = 0;

	for (int i = 1; i < argc && argv[i][0] != '-'; i++) {
		int length = snprintf(call->name + n, sizeof(call->name) - n, "%s%s",
				      n > 0 ? "-" : "", argv[i]);

		if (length < 0 || (size_t)length >= sizeof(call->name) - n)
			return false;
		n += (size_t)length;
		call->argv = &argv[i];
		call->argc = argc - i;
		if (found(call))
			return true;
	}
	return false;
}

static bool find_call(int argc, char **argv, struct call *call)
{
	const char *name = base_name(argc > 0 ? argv[0] : "");

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return find_by_words(argc, argv, call);

	call->argv = argv;
	call->argc = argc;
	call->command = command_find(name + strlen(PREFIX));
	return call->command;
}

static void sink(void *to, enum log_level level, const char *line)
{
	const struct context *context = to;

	if (level == LOG_LEVEL_ERROR)
		(void)fprintf(stderr, "clevis-%s: %s\n", context->command->name, line);
}

static int run(const struct call *call)
{
	struct context context = {.command = call->command};
	const char *summary = call->command->summary;

	context.log = (struct log){.sink = sink, .to = &context};
	if (summary && call->argc > 1 && strcmp(call->argv[1], "--summary") == 0)
		return printf("%s\n", summary) < 0 || fflush(stdout) == EOF ? CLEVIS_FAILED
									    : CLEVIS_OK;
	return call->command->run(&context, call->argc, call->argv);
}

int main(int argc, char **argv)
{
	struct call call = {0};
	bool is_call = find_call(argc, argv, &call);
	int code;

	/* Before anything of the process is changed, which would be inherited. */
	if (call.external) {
		external_exec(call.external, call.argv + 1);
		perror(call.external);
		return CLEVIS_FAILED;
	}
	if (process_begin() < 0)
		return CLEVIS_FAILED;
	(void)setlocale(LC_CTYPE, "");
	/* A reader of our messages that goes away must not stop us halfway. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* A parent that ignores it would have the kernel reap our children before we can ask for them. */
	(void)signal(SIGCHLD, SIG_DFL);

	environment_take_tpm();

	code = is_call ? run(&call) : overview(argc, argv);
	typed_pin_forget();
	return code;
}
