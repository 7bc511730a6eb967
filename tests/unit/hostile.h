/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers of tests/hostile.py and requests to them, for the tests of tang/fetch.h. */
#pragma once

#include "tang/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder of this program's own, made by mkdtemp(). */
static char test_dir[] = "/tmp/cotter-test-XXXXXX";

/* `name` in that folder; good for the next few calls. */
static inline const char *in_dir(const char *name)
{
	static char paths[8][sizeof(test_dir) + 32];
	static unsigned next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", test_dir, name);
	return path;
}

static inline void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* All of a file that is shorter than size; "" where there is none. */
static inline void read_file(const char *path, char *ret, size_t size)
{
	FILE *f = fopen(path, "re");

	memset(ret, 0, size);
	if (!f)
		return;
	assert_true(fread(ret, 1, size, f) < size);
	(void)fclose(f);
}

/* Runs a program with this NULL-terminated line to its end; its output goes to standard error. */
static inline int run(const char *const argv[])
{
	pid_t pid = fork();
	int status = -1;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(STDERR_FILENO, STDOUT_FILENO);
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

enum { SERVER_ARGS_MAX = 8 };

struct server {
	pid_t pid;
	int in; /* its standard input: it ends when this is closed */
	unsigned port;
};

static inline void server_exec(int in, int out, const char *const args[])
{
	const char *root = getenv("COTTER_SOURCE_ROOT");
	static char script[4096];
	const char *argv[SERVER_ARGS_MAX + 4] = {"python3", script, "--watch-stdin"};

	(void)snprintf(script, sizeof(script), "%s/tests/hostile.py", root ? root : ".");
	for (size_t i = 0; args[i] && i < SERVER_ARGS_MAX; i++)
		argv[i + 3] = args[i];
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && dup2(in, STDIN_FILENO) >= 0 &&
	    dup2(out, STDOUT_FILENO) >= 0)
		(void)execv("/usr/bin/python3", (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Starts a server with these NULL-terminated arguments and waits for its port. */
static inline struct server server_start(const char *const args[])
{
	struct server server = {0};
	struct pollfd ready = {.events = POLLIN};
	int in[2], out[2];
	char line[16] = "";

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	server.pid = fork();
	assert_true(server.pid >= 0);
	if (server.pid == 0)
		server_exec(in[0], out[1], args);
	(void)close(in[0]);
	(void)close(out[1]);

	ready.fd = out[0];
	assert_int_equal(poll(&ready, 1, 20 * 1000), 1);
	assert_true(read(out[0], line, sizeof(line) - 1) > 0);
	(void)close(out[0]);
	server.in = in[1];
	server.port = (unsigned)strtoul(line, NULL, 10);
	assert_in_range(server.port, 1, UINT16_MAX);
	return server;
}

static inline void server_stop(struct server *server)
{
	if (server->pid <= 0)
		return;
	(void)kill(server->pid, SIGKILL);
	(void)waitpid(server->pid, NULL, 0);
	(void)close(server->in);
	*server = (struct server){0};
}

/* One request: what is asked, within which time, and all that came of it. */
struct trial {
	struct fetch_request request;
	unsigned deadline_ms; /* 0: 10 s */
	void (*on_retry)(struct trial *trial);

	char base[256];
	struct log log;
	struct fetch *fetch;
	struct fetch_reply reply;
	int r;
	unsigned took_ms, errors, retries;
	char error[LOG_LINE_MAX];
};

static inline void trial_sink(void *to, enum log_level level, const char *line)
{
	struct trial *trial = to;

	if (level == LOG_LEVEL_ERROR) {
		trial->errors++;
		(void)snprintf(trial->error, sizeof(trial->error), "%s", line);
	} else if (strstr(line, "; again in")) {
		trial->retries++;
		if (trial->on_retry)
			trial->on_retry(trial);
	}
}

static inline void PRINTF_LIKE(2, 3) trial_init(struct trial *trial, const char *base, ...)
{
	va_list ap;

	*trial = (struct trial){.request.path = "adv", .request.base = trial->base};
	trial->log = (struct log){.sink = trial_sink, .to = trial, .debug = true};
	va_start(ap, base);
	(void)vsnprintf(trial->base, sizeof(trial->base), base, ap);
	va_end(ap);
}

/* To its end, in a cot of its own. The caller ends it with trial_done(). */
static inline int trial_run(struct trial *trial)
{
	unsigned limit_ms = trial->deadline_ms ? trial->deadline_ms : 10 * 1000;
	uint64_t began = now_us();
	struct cot cot = {.log = &trial->log,
			  .deadline_us = began + (uint64_t)limit_ms * USEC_PER_MSEC};

	trial->r = fetch_run(&cot, &trial->log, &trial->request, &trial->reply);
	cot_done(&cot);
	trial->took_ms = (unsigned)((now_us() - began) / USEC_PER_MSEC);
	return trial->r;
}

static inline void trial_done(struct trial *trial)
{
	trial->fetch = fetch_free(trial->fetch);
	buf_done(&trial->reply.body);
}

/* What a failure must look like: one ERROR line that begins with the base URL and has these words. */
static inline void assert_failed(const struct trial *trial, int want, const char *words)
{
	if (trial->r != want)
		fail_msg("%s: got %d (%s), want %d", trial->base, trial->r, trial->error, want);
	if (trial->errors != 1 || strncmp(trial->error, trial->base, strlen(trial->base)) != 0 ||
	    !strstr(trial->error, words))
		fail_msg("%s: %u lines, the last one: %s; not \"%s\"", trial->base, trial->errors,
			 trial->error, words);
	assert_null(trial->reply.body.p);
}

static inline void assert_status(const struct trial *trial, long status)
{
	if (trial->r != 0 || trial->errors != 0 || trial->reply.status != status)
		fail_msg("%s: got %d, status %ld, \"%s\"; want status %ld", trial->base, trial->r,
			 trial->reply.status, trial->error, status);
}

static inline void assert_body(const struct trial *trial, const char *body)
{
	assert_status(trial, 200);
	assert_int_equal(trial->reply.body.n, strlen(body));
	assert_memory_equal(trial->reply.body.p, body, strlen(body));
}

/* Sanitizers and the machines that run them are slow; the lower limit is what matters most. */
static inline void assert_took(const struct trial *trial, unsigned min_ms, unsigned max_ms)
{
	const char *sanitized = getenv("COTTER_SANITIZED");

	if (sanitized && *sanitized == '1')
		max_ms += 2000;
	if (trial->took_ms < min_ms || trial->took_ms > max_ms)
		fail_msg("%s: took %u ms, not %u to %u (%s)", trial->base, trial->took_ms, min_ms,
			 max_ms, trial->error);
}
