/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A worker's loop. */
#include "tang/server/worker.h"

#include "tang/server/daemon.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum {
	ACCEPT_MIN = 4,
	EVENTS_MAX = 64,
	PAUSE_MSEC = 20, /* until it is looked again whether connections can be accepted */
	GRACE_USEC = 3 * USEC_PER_SEC, /* that a request gets when all stops */
};

struct worker {
	struct server *server;
	struct MHD_Daemon *daemon;
	const struct listen_sockets *sockets;
	enum worker_use use;
	struct quota *quota;
	int epoll;
	bool paused; /* accepts nothing for now */
	bool stopping;
	struct clients clients;
	struct clients ended; /* those that send no more, which libmicrohttpd may not know yet */
	size_t n_clients;
	struct client *adding; /* handed over to libmicrohttpd at this moment */
};

struct server *worker_server(const struct worker *worker)
{
	return worker->server;
}

enum worker_use worker_use(const struct worker *worker)
{
	return worker->use;
}

static uint64_t usec(unsigned seconds)
{
	return (uint64_t)seconds * USEC_PER_SEC;
}

/* Who has its answer may be back before libmicrohttpd, busy with others, closes the connection. */
static void discount(struct worker *worker, struct client *client)
{
	if (client->peer)
		quota_leave(worker->quota, TAKE_PTR(client->peer));
}

void worker_rested(struct worker *worker, struct client *client, bool last)
{
	client->state = CLIENT_IDLE;
	if (last)
		discount(worker, client);
	if (worker->stopping)
		(void)shutdown(client->fd, SHUT_RDWR);
	else if (client->list != &worker->ended)
		clients_add(&worker->clients, client,
			    now_us() + usec(worker->server->settings->request_timeout));
}

static void client_free(struct worker *worker, struct client *client)
{
	clients_remove(client);
	discount(worker, client);
	free(client->subject);
	free(client);
}

DEFINE_CLEANUP(struct MHD_Daemon *, MHD_stop_daemon)

/* A connection begins or ends; MHD_OPTION_NOTIFY_CONNECTION. */
static void on_connection(void *to, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct worker *worker = to;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		worker->n_clients++;
		*context = TAKE_PTR(worker->adding);
	} else if (*context) {
		worker->n_clients--;
		client_free(worker, *context);
		*context = NULL;
	}
	(void)connection;
}

static bool is_own(const struct worker *worker, const struct listen_socket *socket)
{
	return socket->metrics == (worker->use == WORKER_METRICS);
}

static int watch(const struct worker *worker, int fd, uint32_t events, const void *data)
{
	struct epoll_event event = {.events = events, .data.ptr = (void *)(uintptr_t)data};

	return epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* Each connection wakes one worker, not all. */
static int watch_sockets(const struct worker *worker)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < worker->sockets->n; i++) {
		const struct listen_socket *socket = &worker->sockets->of[i];

		if (is_own(worker, socket))
			r = watch(worker, socket->fd, EPOLLIN | EPOLLEXCLUSIVE, socket);
	}
	return r;
}

static void unwatch_sockets(const struct worker *worker)
{
	for (size_t i = 0; i < worker->sockets->n; i++)
		if (is_own(worker, &worker->sockets->of[i]))
			(void)epoll_ctl(worker->epoll, EPOLL_CTL_DEL, worker->sockets->of[i].fd,
					NULL);
}

static void pause_accepting(struct worker *worker)
{
	if (!worker->paused)
		unwatch_sockets(worker);
	worker->paused = true;
}

static void go_on_accepting(struct worker *worker)
{
	if (worker->paused && !worker->stopping && !quota_full(worker->quota))
		worker->paused = watch_sockets(worker) < 0;
}

int worker_new(struct server *server, const struct listen_sockets *sockets, enum worker_use use,
	       struct worker **ret)
{
	CLEANUP(worker_freep) struct worker *worker = calloc(1, sizeof(*worker));
	const union MHD_DaemonInfo *info;
	int r;

	if (!worker)
		return -ENOMEM;
	worker->server = server;
	worker->sockets = sockets;
	worker->use = use;
	worker->quota = use == WORKER_TANG ? &server->quota : &server->metrics_quota;
	worker->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (worker->epoll < 0)
		return -errno;
	worker->daemon = daemon_start(worker, on_connection);
	info = worker->daemon ? MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD)
			      : NULL;
	if (!info)
		return -EIO;
	r = watch(worker, info->epoll_fd, EPOLLIN, NULL);
	if (r == 0)
		r = watch(worker, server->stop, EPOLLIN, worker);
	if (r == 0)
		r = watch_sockets(worker);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(worker);
	return 0;
}

void worker_free(struct worker *worker)
{
	MHD_stop_daemonp(&worker->daemon);
	close_fd(&worker->epoll);
	free(worker);
}

int worker_add(struct worker *worker, int fd, const struct listen_address *from)
{
	struct server *server = worker->server;
	struct client *client = calloc(1, sizeof(*client));
	int r = client ? quota_enter(worker->quota, &from->any, &client->peer) : -ENOMEM;

	if (r < 0) {
		counters_add(&server->counters, COUNTER_REFUSED, 1);
		(void)close(fd);
		free(client);
		return r;
	}
	client->fd = fd;
	client->address = *from;
	clients_add(&worker->clients, client, now_us() + usec(server->settings->request_timeout));
	worker->adding = client;
	(void)!watch(worker, fd, EPOLLRDHUP | EPOLLET, client);
	if (MHD_add_connection(worker->daemon, fd, &from->any, from->n) == MHD_YES)
		return 0;
	if (worker->adding)
		client_free(worker, TAKE_PTR(worker->adding));
	return -EIO;
}

/* Whether it makes sense to look for the next one. */
static bool accept_one(struct worker *worker, const struct listen_socket *socket)
{
	struct listen_address from = {.n = sizeof(struct sockaddr_in6)};
	int fd;

	if (quota_full(worker->quota)) {
		pause_accepting(worker);
		return false;
	}
	fd = accept4(socket->fd, &from.any, &from.n, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			pause_accepting(worker);
		return errno == ECONNABORTED || errno == EINTR;
	}
	counters_add(&worker->server->counters, COUNTER_CONNECTIONS, 1);
	(void)!worker_add(worker, fd, &from);
	return true;
}

/*
 * Others may be free to take the rest; but where many are at hand, of which each gets its answer before the
 * next are accepted, those who wait to be must not wait for long.
 */
static void accept_some(struct worker *worker, const struct listen_socket *socket)
{
	const size_t max = ACCEPT_MIN + worker->n_clients / 2;

	for (size_t i = 0; i < max && accept_one(worker, socket); i++)
		;
}

/*
 * A socket of ours ends with us: what waits there is served, as it would be reset, and whoever comes
 * later is refused. One of systemd's keeps its connections for who comes after us.
 */
static void accept_rest(struct worker *worker)
{
	for (size_t i = 0; i < worker->sockets->n; i++) {
		const struct listen_socket *socket = &worker->sockets->of[i];

		if (!is_own(worker, socket) || socket->inherited)
			continue;
		while (accept_one(worker, socket))
			;
		(void)shutdown(socket->fd, SHUT_RD);
	}
}

static void stop(struct worker *worker)
{
	if (!worker->paused)
		unwatch_sockets(worker);
	accept_rest(worker);
	(void)epoll_ctl(worker->epoll, EPOLL_CTL_DEL, worker->server->stop, NULL);
	/* What has come already is under way. */
	(void)MHD_run(worker->daemon);
	worker->stopping = true;
	clients_limit(&worker->clients, now_us() + GRACE_USEC);
	for (struct client *client = worker->clients.first; client; client = client->next)
		if (client->state == CLIENT_IDLE)
			(void)shutdown(client->fd, SHUT_RDWR);
}

/*
 * libmicrohttpd takes a part of what it asked for as all that there is, and so overlooks an end that
 * came with it, until something happens to the socket: this does.
 */
static void end(struct worker *worker)
{
	const uint64_t now = now_us(),
		       time = worker->stopping ? (uint64_t)GRACE_USEC
					       : usec(worker->server->settings->request_timeout);
	struct client *client;

	while ((client = clients_expired(&worker->ended, now))) {
		(void)shutdown(client->fd, SHUT_RD);
		clients_add(&worker->clients, client, now + time);
	}
}

/* libmicrohttpd's timeout begins anew with each byte. */
static void cut(struct worker *worker)
{
	uint64_t now = now_us();
	struct client *client;

	while ((client = clients_expired(&worker->clients, now))) {
		counters_add(&worker->server->counters, COUNTER_CUT, 1);
		(void)shutdown(client->fd, SHUT_RDWR);
	}
}

/* In milliseconds, rounded up. */
static int timeout(const struct worker *worker)
{
	uint64_t now = now_us(), deadline, msec = INT_MAX;
	MHD_UNSIGNED_LONG_LONG daemon;

	if (MHD_get_timeout(worker->daemon, &daemon) == MHD_YES && daemon < msec)
		msec = daemon;
	if (worker->clients.first) {
		deadline = worker->clients.first->deadline_us;
		deadline = deadline > now ? (deadline - now) / USEC_PER_MSEC + 1 : 0;
		msec = deadline < msec ? deadline : msec;
	}
	if (worker->paused && msec > PAUSE_MSEC)
		msec = PAUSE_MSEC;
	return (int)msec;
}

static bool has_sockets(const struct worker *worker)
{
	for (size_t i = 0; i < worker->sockets->n; i++)
		if (is_own(worker, &worker->sockets->of[i]))
			return true;
	return false;
}

static bool is_socket(const struct worker *worker, const void *data)
{
	const struct listen_socket *socket = data;

	return socket >= worker->sockets->of && socket < worker->sockets->of + worker->sockets->n;
}

/* Whether all shall stop. */
static bool handle(struct worker *worker, const struct epoll_event *events, int n)
{
	bool stops = false;

	for (int i = 0; i < n; i++) {
		void *data = events[i].data.ptr;

		if (data == worker)
			stops = true;
		else if (is_socket(worker, data))
			accept_some(worker, data);
		else if (data)
			clients_add(&worker->ended, data, 0);
	}
	return stops;
}

int worker_run(struct worker *worker)
{
	const bool once = !has_sockets(worker);
	struct epoll_event events[EVENTS_MAX];
	int n;

	while (worker->n_clients > 0 || !(once || worker->stopping)) {
		n = epoll_wait(worker->epoll, events, EVENTS_MAX, timeout(worker));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (handle(worker, events, n))
			stop(worker);
		if (MHD_run(worker->daemon) != MHD_YES)
			return -EIO;
		end(worker);
		cut(worker);
		go_on_accepting(worker);
	}
	return 0;
}
