/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the proof and reads its answer. */
#include "enroll/proof.h"

#include "enroll/user-pin.h"
#include "enroll/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MAX = 16 * 1024 };

/* The ends of pipes that become its standard streams. */
struct streams {
	int input; /* -1: /dev/null */
	int output;
};

/* The process, with its signals as they were before the hold. */
static int spawn(char *const argv[], const struct streams *streams, const struct signals *held,
		 pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}

	r = streams->input < 0
		    ? posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
						       O_RDONLY, 0)
		    : posix_spawn_file_actions_adddup2(&actions, streams->input, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, streams->output, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY,
						     0);
	if (r == 0)
		r = posix_spawnattr_setsigmask(&attributes, &held->before);
	if (r == 0)
		r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	if (r == 0)
		r = posix_spawn(ret, "/proc/self/exe", &actions, &attributes, argv, environ);

	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int start(const struct options *options, unsigned token, const struct streams *streams,
		 const struct signals *held, pid_t *ret)
{
	char id[sizeof("--token-id=") + 16];
	char *header = NULL;
	char *argv[10];
	size_t n = 0;
	int r;

	(void)snprintf(id, sizeof(id), "--token-id=%u", token);
	if (options->header && asprintf(&header, "--header=%s", options->header) < 0)
		return -ENOMEM;

	argv[n++] = (char *)"cotter-enroll";
	argv[n++] = (char *)"--test";
	argv[n++] = (char *)"--proof";
	argv[n++] = (char *)"--json=short";
	argv[n++] = (char *)"--quiet";
	argv[n++] = id;
	if (header)
		argv[n++] = header;
	argv[n++] = (char *)"--";
	argv[n++] = (char *)options->device;
	argv[n] = NULL;

	r = spawn(argv, streams, held, ret);
	free(header);
	return r;
}

/* Everything that the process writes, to its end. */
static int read_answer(int fd, const struct signals *held, struct buf *answer)
{
	for (;;) {
		ssize_t n;
		int r;

		r = signals_poll(held, fd);
		if (r < 0)
			return r;
		n = read(fd, answer->p + answer->n, answer->cap - answer->n);
		if (n < 0)
			return -EIO;
		if (n == 0)
			return 0;
		answer->n += (size_t)n;
		if (answer->n == answer->cap)
			return -EIO;
	}
}

static int judge(int status, const struct buf *answer, char why[LOG_LINE_MAX])
{
	CLEANUP_JSON json_t *json = NULL;
	const char *cause = NULL;

	if (!WIFEXITED(status)) {
		(void)snprintf(why, LOG_LINE_MAX,
			       "the process that should prove it ended with "
			       "signal %d",
			       WTERMSIG(status));
		return -EIO;
	}
	if (WEXITSTATUS(status) == EXIT_CODE_OK)
		return 0;

	if (js_load(buf_ref(answer), &json) == 0) {
		cause = js_str(json_array_get(json_object_get(json, "tokens"), 0), "cause");
		if (!cause)
			cause = json_string_value(
				json_array_get(json_object_get(json, "errors"), 0));
	}
	(void)snprintf(why, LOG_LINE_MAX, "%s", cause ? cause : "no cause was given");
	return WEXITSTATUS(status) == EXIT_CODE_AWAY ? -EAGAIN : -EKEYREJECTED;
}

int proof_run(const struct options *options, unsigned token, struct ref user_pin,
	      const struct signals *held, char why[LOG_LINE_MAX])
{
	CLEANUP(buf_done) struct buf answer = {0};
	CLEANUP(close_fd) int from = -1;
	CLEANUP(close_fd) int pin = -1;
	int pipes[2], status, r;
	pid_t child;

	r = buf_init(&answer, ANSWER_MAX);
	if (r < 0)
		return r;

	if (user_pin.p)
		r = user_pin_pipe(user_pin, &pin);
	if (r == 0)
		r = pipe2(pipes, O_CLOEXEC) < 0 ? -errno : 0;
	if (r == 0) {
		const struct streams streams = {pin, pipes[1]};

		from = pipes[0];
		r = start(options, token, &streams, held, &child);
		(void)close(pipes[1]);
	}
	if (r < 0) {
		(void)snprintf(why, LOG_LINE_MAX,
			       "the process that should prove it could not be "
			       "started: %s",
			       strerror(-r));
		return -EIO;
	}

	r = read_answer(from, held, &answer);
	if (r < 0)
		(void)kill(child, SIGKILL); /* it only reads */
	while (waitpid(child, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		(void)snprintf(why, LOG_LINE_MAX, "the process that should prove it was lost: %s",
			       strerror(errno));
		return -EIO;
	}
	if (r < 0) {
		(void)snprintf(why, LOG_LINE_MAX, "%s", r == -EINTR ? "interrupted" : strerror(-r));
		return r;
	}
	return judge(status, &answer, why);
}
