/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cotter-renew: has cotter-enroll renew the bindings of all volumes, and writes to the journal what became
 * of each. It only starts and reads that program, so it holds no secret.
 */
#define SD_JOURNAL_SUPPRESS_LOCATION

#include "units/journal.h"
#include "units/renewed.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-journal.h>

enum { OUTPUT_MAX = 4 * 1024 * 1024 };

/* With a pipe for its output; its messages go where ours do. */
static int start(const char *program, pid_t *ret, int *ret_from)
{
	char *argv[] = {(char *)(uintptr_t)program, (char *)"--renew", (char *)"--all",
			(char *)"--json=short",     (char *)"--quiet", NULL};
	posix_spawn_file_actions_t actions;
	int pipes[2], r;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	r = pipe2(pipes, O_CLOEXEC) < 0 ? errno : 0;
	if (r == 0) {
		r = posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
		if (r == 0)
			r = posix_spawn(ret, program, &actions, NULL, argv, environ);
		(void)close(pipes[1]);
		if (r == 0)
			*ret_from = pipes[0];
		else
			(void)close(pipes[0]);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Its output, and the status with which it ended, as waitpid() has it. */
static int run(const char *program, struct buf *output, int *ret_status)
{
	CLEANUP(close_fd) int from = -1;
	pid_t child;
	int r, w;

	r = buf_init(output, OUTPUT_MAX);
	if (r == 0)
		r = start(program, &child, &from);
	if (r < 0)
		return r;

	r = buf_read(output, from);
	if (r == 0 && output->n == output->cap)
		r = -E2BIG;
	/* It is let finish in any case, as it has a header in its hands; what more it writes is lost. */
	(void)close(from);
	from = -1;
	while ((w = waitpid(child, ret_status, 0)) < 0 && errno == EINTR)
		;
	return w < 0 ? -errno : r;
}

static int send_entry(void *arg, const struct renewed *renewed)
{
	CLEANUP(renewed_fields_done) struct renewed_fields fields = {0};
	struct iovec parts[RENEWED_FIELDS_MAX];
	int r = renewed_fields(renewed, &fields);

	(void)arg;
	if (r < 0)
		return r;
	for (size_t i = 0; i < fields.n; i++)
		parts[i] = (struct iovec){fields.fields[i], strlen(fields.fields[i])};
	return sd_journal_sendv(parts, (int)fields.n);
}

static int send_all(const struct buf *output)
{
	json_t *json = json_loadb((const char *)output->p, output->n, JSON_REJECT_DUPLICATES, NULL);
	int r = json ? renewed_each(json, send_entry, NULL) : -EBADMSG;

	json_decref(json);
	return r;
}

int main(int argc, char **argv)
{
	const struct log log = journal_log();
	CLEANUP(buf_done) struct buf output = {0};
	int status = 0, r;

	if (argc != 2) {
		(void)log_err(&log, 0, "cotter-renew wants the path of cotter-enroll");
		return EXIT_FAILURE;
	}
	r = run(argv[1], &output, &status);
	if (r < 0)
		(void)log_err(&log, r, "%s could not be run to its end: %s", argv[1], strerror(-r));
	else if (WIFSIGNALED(status))
		(void)log_err(&log, 0, "%s ended with signal %d", argv[1], WTERMSIG(status));
	if (r < 0 || !WIFEXITED(status))
		return EXIT_FAILURE;

	r = send_all(&output);
	if (r < 0) {
		(void)log_err(&log, r, "what %s told does not reach the journal: %s", argv[1],
			      strerror(-r));
		return EXIT_FAILURE;
	}
	return WEXITSTATUS(status);
}
