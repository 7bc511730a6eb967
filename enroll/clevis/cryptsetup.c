/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hands over to cryptsetup. */
#include "enroll/clevis/cryptsetup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 64 };

/* Its standard input from here on: a pipe, so that the key is in memory alone. */
static int feed(struct ref key)
{
	CLEANUP(close_fd) int from = -1;
	CLEANUP(close_fd) int to = -1;
	int pipes[2], r;

	if (key.n > CRYPTSETUP_KEY_MAX)
		return -E2BIG;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	from = pipes[0];
	to = pipes[1];
	r = ref_write(key, to);
	if (r == 0 && dup2(from, STDIN_FILENO) < 0)
		r = -errno;
	return r;
}

int cryptsetup_open(const char *device, const char *name, const char *parameters, struct ref key)
{
	CLEANUP(free_text) char *text = strdup(parameters);
	char *argv[ARGUMENTS_MAX + 8], *rest = NULL;
	size_t n = 0;
	int r;

	if (!text)
		return -ENOMEM;
	argv[n++] = (char *)"cryptsetup";
	argv[n++] = (char *)"open";
	argv[n++] = (char *)"--disable-external-tokens";
	argv[n++] = (char *)"--key-file=-";
	for (char *word = strtok_r(text, " \t\n", &rest); word;
	     word = strtok_r(NULL, " \t\n", &rest)) {
		if (n >= ARGUMENTS_MAX)
			return -E2BIG;
		argv[n++] = word;
	}
	argv[n++] = (char *)"--";
	argv[n++] = (char *)(uintptr_t)device;
	argv[n++] = (char *)(uintptr_t)name;
	argv[n] = NULL;

	r = feed(key);
	if (r < 0)
		return r;
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execvp(argv[0], argv);
	return -errno;
}
