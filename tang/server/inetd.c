/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A single connection. libmicrohttpd takes sockets alone, so bytes of pipes go through a pair of them. */
#include "tang/server/inetd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* Copies to the end of `from`, or until nobody reads `to`. */
static void copy(int from, int to)
{
	uint8_t bytes[2048];
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || ref_write((struct ref){bytes, (size_t)n}, to) < 0)
			return;
	}
}

static void *copy_input(void *socket)
{
	int to = *(int *)socket;

	copy(STDIN_FILENO, to);
	(void)shutdown(to, SHUT_WR);
	return NULL;
}

static void *copy_output(void *socket)
{
	copy(*(int *)socket, STDOUT_FILENO);
	return NULL;
}

/* Whether both are one socket. */
static bool is_socket(int in, int out)
{
	struct stat a, b;

	return fstat(in, &a) == 0 && fstat(out, &b) == 0 && S_ISSOCK(a.st_mode) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int serve(struct server *server, int fd)
{
	static const struct listen_sockets none = {.connection = -1};
	CLEANUP(worker_freep) struct worker *worker = NULL;
	struct listen_address from = {.n = sizeof(struct sockaddr_in6)};
	int r, own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (own < 0)
		return -errno;
	if (getpeername(fd, &from.any, &from.n) < 0)
		from = (struct listen_address){.any = {.sa_family = AF_UNIX},
					       .n = sizeof(sa_family_t)};
	r = worker_new(server, &none, WORKER_TANG, &worker);
	if (r < 0) {
		(void)close(own);
		return r;
	}
	r = worker_add(worker, own, &from);
	return r < 0 ? r : worker_run(worker);
}

/* The thread that reads is left behind where its input does not end. */
static int serve_pipes(struct server *server)
{
	pthread_t input, output;
	int r, pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = -pthread_create(&input, NULL, copy_input, &pair[1]);
	if (r < 0)
		return r;
	(void)pthread_detach(input);
	r = -pthread_create(&output, NULL, copy_output, &pair[1]);
	if (r < 0)
		return r;
	r = serve(server, pair[0]);
	(void)shutdown(pair[0], SHUT_RDWR);
	(void)pthread_join(output, NULL);
	return r;
}

int inetd_serve(struct server *server, int fd)
{
	if (fd >= 0)
		return serve(server, fd);
	if (is_socket(STDIN_FILENO, STDOUT_FILENO))
		return serve(server, STDIN_FILENO);
	return serve_pipes(server);
}
