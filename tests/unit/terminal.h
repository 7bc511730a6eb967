/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process at a terminal of its own, and the person who sits there. */
#pragma once

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

enum { TERMINAL_PATIENCE_MS = 60 * 1000 };

struct terminal {
	int master;
	pid_t child;
	char shown[8192]; /* all of it */
	size_t n, seen;   /* of which the person waited for so much */
	bool echoed;      /* whether the process left it echoing at its end */
};

/* Starts a process that ends with what `work` returns. It must not use cmocka. */
static inline void terminal_start(struct terminal *t, int (*work)(void))
{
	const struct rlimit no_core = {0};

	*t = (struct terminal){0};
	t->child = forkpty(&t->master, NULL, NULL, NULL);
	assert_true(t->child >= 0);
	if (t->child == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core);
		_exit(work());
	}
}

/* Takes what the terminal shows next; false where nothing will come any more. */
static inline bool terminal_look(struct terminal *t)
{
	struct pollfd ready = {.fd = t->master, .events = POLLIN};
	ssize_t n;

	assert_int_equal(poll(&ready, 1, TERMINAL_PATIENCE_MS), 1);
	n = read(t->master, t->shown + t->n, sizeof(t->shown) - 1 - t->n);
	if (n <= 0)
		return false;
	t->n += (size_t)n;
	return true;
}

/* Waits until the terminal shows these words, behind those that were waited for before. */
static inline void terminal_expect(struct terminal *t, const char *words)
{
	const char *found;

	while (!(found = strstr(t->shown + t->seen, words)))
		if (!terminal_look(t))
			fail_msg("the terminal shows \"%s\", without \"%s\"", t->shown, words);
	t->seen = (size_t)(found - t->shown) + strlen(words);
}

static inline void terminal_type(const struct terminal *t, const char *text)
{
	assert_int_equal(write(t->master, text, strlen(text)), strlen(text));
}

static inline bool terminal_echoes(const struct terminal *t)
{
	struct termios settings;

	assert_int_equal(tcgetattr(t->master, &settings), 0);
	return (settings.c_lflag & ECHO) != 0;
}

/* Waits for the process; its exit status, or the number of the signal that ended it negated. */
static inline int terminal_end(struct terminal *t)
{
	int status = 0;

	while (terminal_look(t))
		;
	assert_int_equal(waitpid(t->child, &status, 0), t->child);
	t->echoed = terminal_echoes(t);
	(void)close(t->master);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* What `work` returns in a process without a terminal. */
static inline int without_terminal(int (*work)(void))
{
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0)
		_exit(setsid() < 0 ? 255 : work());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}
