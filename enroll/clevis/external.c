/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds and runs programs of others. */
#include "enroll/clevis/external.h"

#include "crypto/pin.h"
#include "enroll/clevis/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Not this one: what calls itself would never end. */
static bool is_program(const char *path)
{
	struct stat self, st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		return false;
	return stat("/proc/self/exe", &self) < 0 || self.st_dev != st.st_dev ||
	       self.st_ino != st.st_ino;
}

char *external_find(const char *name)
{
	const char *dir = environment_path();

	if (strchr(name, '/'))
		return NULL;
	for (; *dir; dir += strspn(dir, ":")) {
		size_t n = strcspn(dir, ":");
		CLEANUP(free_text) char *path = NULL;

		if (asprintf(&path, "%.*s/clevis-%s", (int)n, dir, name) < 0)
			path = NULL;
		if (path && is_program(path))
			return TAKE_PTR(path);
		dir += n;
	}
	return NULL;
}

void external_exec(const char *path, char **argv)
{
	char *const name = argv[-1];

	argv[-1] = (char *)(uintptr_t)path;
	(void)execv(path, &argv[-1]);
	argv[-1] = name;
}

void external_exec_input(const char *path, struct ref input)
{
	CLEANUP(close_fd) int fd = memfd_create("jwe", MFD_CLOEXEC);
	char *argv[] = {(char *)(uintptr_t)path, NULL};

	if (fd < 0 || ref_write(input, fd) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    dup2(fd, STDIN_FILENO) < 0)
		return;
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execv(path, argv);
}

static void close_end(int *fd)
{
	if (*fd > 0)
		(void)close(*fd);
	*fd = 0;
}

struct pipes {
	int in[2], out[2]; /* 0: not open */
};

static void pipes_done(struct pipes *pipes)
{
	for (size_t i = 0; i < 2; i++) {
		close_end(&pipes->in[i]);
		close_end(&pipes->out[i]);
	}
}

/* It begins with the signals as they are for everybody, and on the standard streams with the pipes' ends. */
static int spawn(const char *path, char *const *argv, const struct pipes *pipes, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t defaults;
	int r;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	(void)sigemptyset(&defaults);
	(void)sigaddset(&defaults, SIGPIPE);
	(void)posix_spawnattr_setsigdefault(&attr, &defaults);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	r = posix_spawn_file_actions_adddup2(&actions, pipes->in[0], STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, pipes->out[1], STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn(ret, path, &actions, &attr, argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	return r == ENOMEM ? -ENOMEM : r == 0 ? 0 : -ENOENT;
}

static int open_pipes(struct pipes *ret)
{
	CLEANUP(pipes_done) struct pipes pipes = {0};

	if (pipe2(pipes.in, O_CLOEXEC) < 0 || pipe2(pipes.out, O_CLOEXEC) < 0 ||
	    fcntl(pipes.in[1], F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(pipes.out[0], F_SETFL, O_NONBLOCK) < 0)
		return -EIO;
	*ret = TAKE_STRUCT(pipes);
	return 0;
}

int external_start(const char *path, char *const *argv, struct ref input, size_t output_max,
		   struct external *ret)
{
	CLEANUP(pipes_done) struct pipes pipes = {0};
	CLEANUP(external_done) struct external external = {.input = input};
	int r;

	r = buf_init(&external.output, output_max + 1);
	if (r == 0)
		r = open_pipes(&pipes);
	if (r == 0)
		r = spawn(path, argv, &pipes, &external.pid);
	if (r < 0)
		return r;

	external.to = TAKE_VALUE(pipes.in[1], 0);
	external.from = TAKE_VALUE(pipes.out[0], 0);
	*ret = TAKE_STRUCT(external);
	return 0;
}

/* One that does not want to read all may still end well. */
static void feed(struct external *e)
{
	ssize_t n;

	while (e->to > 0 && e->input.n > 0) {
		n = write(e->to, e->input.p, e->input.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			e->input.n = 0;
		else
			e->input = (struct ref){e->input.p + n, e->input.n - (size_t)n};
	}
	close_end(&e->to);
}

static int drain(struct external *e)
{
	while (e->from > 0) {
		struct buf *out = &e->output;
		ssize_t n;

		if (out->n == out->cap)
			return -E2BIG;
		n = read(e->from, out->p + out->n, out->cap - out->n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -EINPROGRESS : -EIO;
		out->n += (size_t)n;
		if (n == 0)
			close_end(&e->from);
	}
	return 0;
}

int external_step(struct external *e)
{
	int r, status;

	feed(e);
	r = drain(e);
	if (r < 0)
		return r;
	/* It has closed its output, and so is about to end. */
	while (e->pid > 0 && waitpid(e->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -EIO;
	e->pid = 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int external_wait(const struct external *e, uint64_t until_us)
{
	struct pollfd fds[] = {
		{.fd = e->from > 0 ? e->from : -1, .events = POLLIN},
		{.fd = e->to > 0 ? e->to : -1, .events = POLLOUT},
	};

	return cot_poll(fds, ARRAY_SIZE(fds), until_us);
}

void external_done(struct external *e)
{
	if (e->pid > 0) {
		(void)kill(e->pid, SIGTERM);
		while (waitpid(e->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_end(&e->to);
	close_end(&e->from);
	buf_done(&e->output);
	*e = (struct external){0};
}
