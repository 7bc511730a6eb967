/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads and signals. */
#include "tang/server/service.h"

#include "tang/server/metrics.h"
#include "tang/server/usage-writer.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include <systemd/sd-daemon.h>

enum {
	STACK_SIZE = 512 * 1024, /* of a thread: all of it may be locked into memory */
	FILES_BESIDE = 128,      /* open files that are no connections */
};

struct worker_thread {
	struct worker *worker;
	pthread_t id;
	bool running;
	int result;
};

struct worker_threads {
	struct worker_thread *of;
	size_t n;
};

static void worker_threads_done(struct worker_threads *threads)
{
	for (size_t i = 0; i < threads->n; i++) {
		if (threads->of[i].running)
			(void)pthread_join(threads->of[i].id, NULL);
		if (threads->of[i].worker)
			worker_free(threads->of[i].worker);
	}
	free(threads->of);
}

void service_raise_files(struct settings *settings, const struct log *log)
{
	const rlim_t wanted = (rlim_t)settings->max_connections + FILES_BESIDE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	if (limit.rlim_max < wanted &&
	    setrlimit(RLIMIT_NOFILE, &(struct rlimit){wanted, wanted}) == 0)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= wanted)
		return;
	settings->max_connections =
		(unsigned)(limit.rlim_cur > 2 * FILES_BESIDE ? limit.rlim_cur - FILES_BESIDE
							     : limit.rlim_cur / 2);
	(void)log_err(
		log, 0,
		"at most %ju files can be open, so at most %u connections are accepted at once",
		(uintmax_t)limit.rlim_cur, settings->max_connections);
}

static unsigned cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static void *run(void *arg)
{
	struct worker_thread *thread = arg;
	struct server *server = worker_server(thread->worker);

	thread->result = worker_run(thread->worker);
	if (thread->result < 0) {
		server_stop(server);
		(void)kill(getpid(), SIGTERM);
	}
	return NULL;
}

static int start(struct server *server, const struct listen_sockets *sockets, enum worker_use use,
		 struct worker_threads *threads)
{
	struct worker_thread *thread = &threads->of[threads->n];
	pthread_attr_t attributes;
	int r;

	r = worker_new(server, sockets, use, &thread->worker);
	if (r < 0)
		return r;
	threads->n++;
	r = -pthread_attr_init(&attributes);
	if (r < 0)
		return r;
	(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
	r = -pthread_create(&thread->id, &attributes, run, thread);
	thread->running = r == 0;
	(void)pthread_attr_destroy(&attributes);
	return r;
}

static bool has_metrics(const struct listen_sockets *sockets)
{
	for (size_t i = 0; i < sockets->n; i++)
		if (sockets->of[i].metrics)
			return true;
	return false;
}

static int start_all(struct server *server, const struct listen_sockets *sockets,
		     struct worker_threads *threads)
{
	const unsigned n = server->settings->workers ? server->settings->workers : cpus();
	int r = 0;

	threads->of = calloc(n + 1, sizeof(*threads->of));
	if (!threads->of)
		return -ENOMEM;
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = start(server, sockets, WORKER_TANG, threads);
	if (r == 0 && has_metrics(sockets))
		r = start(server, sockets, WORKER_METRICS, threads);
	return r;
}

static void tell_ready(const struct server *server, const struct listen_sockets *sockets)
{
	char line[LOG_LINE_MAX], text[LISTEN_TEXT_MAX];

	for (size_t i = 0; i < sockets->n; i++) {
		struct listen_address address = {.n = sizeof(struct sockaddr_in6)};

		if (getsockname(sockets->of[i].fd, &address.any, &address.n) < 0)
			continue;
		listen_address_write(&address.any, true, text);
		(void)snprintf(line, sizeof(line), "%s on %s",
			       sockets->of[i].metrics ? "metrics" : "listening", text);
		notice_line(server->notice, line);
	}
	(void)sd_notify(false, "READY=1");
}

/* Until one of them ends the service. */
static void await_signals(const struct server *server, const sigset_t *signals)
{
	char line[LOG_LINE_MAX];
	int number = 0;

	while (number != SIGTERM && number != SIGINT) {
		if (sigwait(signals, &number) != 0)
			return;
		if (number == SIGUSR1) {
			metrics_line(server, line);
			notice_line(server->notice, line);
		}
	}
}

static int result_of(const struct worker_threads *threads)
{
	for (size_t i = 0; i < threads->n; i++)
		if (threads->of[i].result < 0)
			return threads->of[i].result;
	return 0;
}

static void join(struct worker_threads *threads)
{
	for (size_t i = 0; i < threads->n; i++) {
		(void)pthread_join(threads->of[i].id, NULL);
		threads->of[i].running = false;
	}
}

DEFINE_CLEANUP(struct usage_writer *, usage_writer_stop)

/* Recovering is more than the record of it. */
static void start_record(struct server *server, struct usage_writer **writer)
{
	const char *path = server->settings->usage;

	if (path && usage_writer_start(path, server->store, &server->log, writer) < 0)
		(void)log_err(&server->log, 0, "the server runs without a record of recoveries");
}

int service_run(struct server *server, const struct listen_sockets *sockets)
{
	CLEANUP(usage_writer_stopp) struct usage_writer *writer = NULL;
	CLEANUP(worker_threads_done) struct worker_threads threads = {0};
	sigset_t signals;
	int r;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGUSR1);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);

	r = store_watch(server->store);
	if (r == 0)
		r = start_all(server, sockets, &threads);
	if (r == 0)
		start_record(server, &writer);
	if (r < 0) {
		server_stop(server);
		return log_err(&server->log, r, "the server cannot start: %s", strerror(-r));
	}
	tell_ready(server, sockets);
	await_signals(server, &signals);
	(void)sd_notify(false, "STOPPING=1");
	server_stop(server);
	join(&threads);
	r = result_of(&threads);
	return r < 0 ? log_err(&server->log, r, "the server had to stop: %s", strerror(-r)) : 0;
}
