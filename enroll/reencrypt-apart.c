/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process that re-encrypts, and what it tells. */
#include "enroll/reencrypt-apart.h"

#include "crypto/process.h"
#include "enroll/luks-reencrypt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_WRITTEN = 0, STATUS_FAILED = 1, STATUS_STOPPED = 2 };

/* Small enough for a pipe to take it whole. */
struct message {
	uint64_t size, done;
	char said[LOG_LINE_MAX]; /* or empty */
};

struct child {
	int to;
	const struct signals *held;
	bool alone; /* nobody listens any more */
};

static void tell(struct child *child, const struct message *message)
{
	if (ref_write((struct ref){(const uint8_t *)message, sizeof(*message)}, child->to) < 0)
		child->alone = true;
}

static void say(void *to, enum log_level level, const char *line)
{
	struct message message = {0};

	(void)level;
	(void)snprintf(message.said, sizeof(message.said), "%s", line);
	tell(to, &message);
}

static bool on_progress(void *arg, uint64_t size, uint64_t done)
{
	struct child *child = arg;
	const struct message message = {.size = size, .done = done};

	tell(child, &message);
	return child->alone || signals_came(child->held);
}

static int work(const struct options *options, struct ref secret, struct child *child)
{
	const struct log log = {.sink = say, .to = child};
	CLEANUP(luks_freep) struct luks *luks = NULL;
	int r;

	r = luks_open(options->device, options->header, true, &log, &luks);
	if (r == 0)
		r = luks_reencrypt_run(luks, secret, on_progress, child);
	return r == -EINTR ? STATUS_STOPPED : STATUS_FAILED;
}

/* What it tells, to its end; a signal to us is one to it. */
static void listen_to(int fd, pid_t child, const struct signals *held, const struct log *log,
		      struct progress *progress)
{
	bool told = false;

	for (;;) {
		struct message message;
		ssize_t n;

		if (!told && signals_poll(held, fd) < 0) {
			(void)kill(child, SIGTERM);
			told = true;
		}
		n = read(fd, &message, sizeof(message));
		if (n < 0 && errno == EINTR)
			continue;
		if (n != sizeof(message))
			return;
		message.said[sizeof(message.said) - 1] = '\0';
		if (!message.said[0]) {
			progress_show(progress, message.size, message.done);
			continue;
		}
		progress_end(progress);
		(void)log_err(log, 0, "%s", message.said);
	}
}

int apart_run(const struct options *options, struct ref secret, const struct signals *held,
	      const struct log *log, struct progress *progress)
{
	CLEANUP(close_fd) int from = -1;
	int pipes[2], status = 0;
	pid_t child;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return log_err(log, -EIO, "no pipe could be made: %s", strerror(errno));
	from = pipes[0];
	child = fork();
	if (child == 0) {
		struct child self = {.to = pipes[1], .held = held};

		(void)close(pipes[0]);
		if (process_begin() < 0) /* locks of memory are not inherited */
			_exit(STATUS_FAILED);
		_exit(work(options, secret, &self));
	}
	(void)close(pipes[1]);
	if (child < 0)
		return log_err(log, -EIO, "no process could be made: %s", strerror(errno));

	listen_to(from, child, held, log, progress);
	progress_end(progress);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return log_err(log, -EIO, "the process that re-encrypts was lost: %s",
				       strerror(errno));
	if (WIFSIGNALED(status))
		return log_err(log, -EIO, "the process that re-encrypts ended with signal %d",
			       WTERMSIG(status));
	if (WEXITSTATUS(status) == STATUS_WRITTEN)
		return 0;
	return WEXITSTATUS(status) == STATUS_STOPPED ? -EINTR : -EIO;
}
