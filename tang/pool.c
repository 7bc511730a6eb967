/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drives libcurl's transfers. It is told of each socket's news and of the time; the sleeping is done
 * here, because its own curl_multi_poll() hides an EINTR.
 */
#include "tang/pool.h"

#include "crypto/ec.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

static int grow(struct pool *pool)
{
	size_t max = pool->max_sockets ? pool->max_sockets * 2 : 16;
	struct pollfd *sockets = calloc(max, sizeof(*sockets));
	struct transfer **owners = calloc(max, sizeof(struct transfer *));

	if (!sockets || !owners) {
		free(sockets);
		free(owners);
		return -ENOMEM;
	}
	for (size_t i = 0; i < pool->n_sockets; i++) {
		sockets[i] = pool->sockets[i];
		owners[i] = pool->owners[i];
	}

	free(pool->sockets);
	free(pool->owners);
	pool->sockets = sockets;
	pool->owners = owners;
	pool->max_sockets = max;
	return 0;
}

static size_t find_socket(const struct pool *pool, curl_socket_t fd)
{
	size_t i = 0;

	while (i < pool->n_sockets && pool->sockets[i].fd != fd)
		i++;
	return i;
}

/* NULL for what is libcurl's own, such as a connection that nobody needs any more. */
static struct transfer *find_transfer(const struct pool *pool, const CURL *easy)
{
	struct transfer *t = pool->first;

	while (t && t->easy != easy)
		t = t->next;
	return t;
}

/* libcurl says which events of a socket it wants to hear of. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	struct pool *pool = arg;
	size_t i = find_socket(pool, fd);

	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		if (i < pool->n_sockets) {
			pool->n_sockets--;
			pool->sockets[i] = pool->sockets[pool->n_sockets];
			pool->owners[i] = pool->owners[pool->n_sockets];
		}
		return 0;
	}

	if (i == pool->n_sockets) {
		if (i == pool->max_sockets && grow(pool) < 0)
			return -1;
		pool->sockets[i] = (struct pollfd){.fd = fd};
		pool->n_sockets++;
	}
	pool->owners[i] = find_transfer(pool, easy);
	pool->sockets[i].events =
		(short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct pool *pool = arg;

	(void)multi;
	pool->timer_us = timeout_ms < 0 ? 0 : now_us() + (uint64_t)timeout_ms * USEC_PER_MSEC;
	return 0;
}

static void act(struct pool *pool, curl_socket_t fd)
{
	int running;

	/* No event mask: libcurl then looks for itself, and sees errors as it wants to. */
	if (pool->curl.multi_socket_action(pool->multi, fd, 0, &running) != CURLM_OK)
		pool->broken = true;
}

static bool has_socket(const struct pool *pool, const struct transfer *transfer)
{
	for (size_t i = 0; i < pool->n_sockets; i++)
		if (pool->owners[i] == transfer)
			return true;
	return false;
}

/*
 * libcurl before 8.4 turns to a server's next address when one has failed, but waits to be called
 * before it does more. To change back and forth whether a transfer is paused is such a call.
 */
static void nudge(struct pool *pool, struct transfer *transfer)
{
	(void)pool->curl.easy_pause(transfer->easy, CURLPAUSE_RECV);
	(void)pool->curl.easy_pause(transfer->easy, CURLPAUSE_CONT);
}

/* Each call may add and remove sockets, so the search begins anew after it. */
static void pass_news(struct pool *pool)
{
	size_t i = 0;

	while (i < pool->n_sockets) {
		struct transfer *owner = pool->owners[i];

		if (pool->sockets[i].revents == 0) {
			i++;
			continue;
		}
		pool->sockets[i].revents = 0;
		if (owner)
			owner->moved_us = now_us();
		act(pool, pool->sockets[i].fd);
		if (owner && !has_socket(pool, owner))
			nudge(pool, owner);
		i = 0;
	}
	if (pool->timer_us != 0 && pool->timer_us <= now_us()) {
		pool->timer_us = 0;
		act(pool, CURL_SOCKET_TIMEOUT);
	}
}

static bool same_server(const struct transfer *a, const struct transfer *b)
{
	return strcmp(a->server, b->server) == 0;
}

const struct transfer *pool_ahead(const struct pool *pool, const struct transfer *transfer)
{
	const struct transfer *t = pool->first;

	while (t && (t->state != TRANSFER_RUNNING || !same_server(t, transfer)))
		t = t->next;
	return t;
}

static void link_last(struct pool *pool, struct transfer *transfer)
{
	struct transfer **at = &pool->first;

	while (*at)
		at = &(*at)->next;
	*at = transfer;
	transfer->next = NULL;
}

static void unlink_one(struct pool *pool, const struct transfer *transfer)
{
	struct transfer **at = &pool->first;

	while (*at && *at != transfer)
		at = &(*at)->next;
	if (*at)
		*at = transfer->next;
}

static int start(struct pool *pool, struct transfer *transfer)
{
	if (pool->broken || pool->curl.multi_add_handle(pool->multi, transfer->easy) != CURLM_OK)
		return -ENOMEM;

	transfer->state = TRANSFER_RUNNING;
	return 0;
}

static struct transfer *first_queued(const struct pool *pool, const struct transfer *like)
{
	struct transfer *t = pool->first;

	while (t && (t->state != TRANSFER_QUEUED || !same_server(t, like)))
		t = t->next;
	return t;
}

static void lose(struct pool *pool, struct transfer *transfer, const struct verdict *why)
{
	transfer->fate = *why;
	transfer->state = TRANSFER_LOST;
	unlink_one(pool, transfer);
}

/* The next one's turn, now that this one is out of the way. */
static void start_next(struct pool *pool, const struct transfer *ended)
{
	static const struct verdict no_memory = {-ENOMEM, NEVER, "out of memory"};
	struct transfer *t;

	while ((t = first_queued(pool, ended)) && start(pool, t) < 0)
		lose(pool, t, &no_memory);
	/* On a connection that is there already, its socket may have no news to tell. */
	if (t && ended->state == TRANSFER_ENDED && ended->result == CURLE_OK)
		t->moved_us = now_us();
}

static void collect_results(struct pool *pool)
{
	const CURLMsg *msg;
	int left;

	while ((msg = pool->curl.multi_info_read(pool->multi, &left))) {
		struct transfer *transfer = find_transfer(pool, msg->easy_handle);

		if (!transfer)
			continue;
		transfer->result = msg->data.result;
		transfer->state = TRANSFER_ENDED;
		unlink_one(pool, transfer);
		start_next(pool, transfer);
	}
}

static int pool_wait(struct waiter *waiter, const struct pollfd *alarm, uint64_t until_us)
{
	struct pool *pool = (struct pool *)waiter;
	CLEANUP_ERRORS; /* libcurl leaves those of TLS in the queue */
	size_t n = pool->n_sockets;
	int r;

	if (alarm && n == pool->max_sockets && grow(pool) < 0)
		pool->broken = true;
	else if (alarm)
		pool->sockets[n++] = *alarm;

	if (pool->timer_us != 0 && pool->timer_us < until_us)
		until_us = pool->timer_us;

	r = cot_poll(pool->sockets, n, until_us);
	if (r == -EINTR)
		return r;
	if (r < 0)
		pool->broken = true;

	pool->looked_us = now_us();
	pass_news(pool);
	collect_results(pool);
	return 0;
}

void pool_unref(struct pool *pool)
{
	if (--pool->refs > 0)
		return;

	if (pool->multi)
		(void)pool->curl.multi_cleanup(pool->multi);
	libcurl_close(&pool->curl);
	free(pool->sockets);
	free(pool->owners);
	free(pool);
}

static void pool_release(struct waiter *waiter)
{
	pool_unref((struct pool *)waiter);
}

static bool set_callbacks(struct pool *pool)
{
	const struct libcurl *curl = &pool->curl;

	return curl->multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool) == CURLM_OK &&
	       curl->multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
	       curl->multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool) == CURLM_OK &&
	       curl->multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK;
}

static int pool_new(const struct log *log, struct pool **ret)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	int r;

	if (!pool)
		return -ENOMEM;

	pool->waiter = (struct waiter){pool_wait, pool_release};
	pool->refs = 1;
	r = libcurl_open(log, &pool->curl);
	if (r == 0) {
		pool->multi = pool->curl.multi_init();
		r = pool->multi && set_callbacks(pool) ? 0 : -ENOMEM;
	}
	if (r < 0) {
		pool_unref(pool);
		return r;
	}

	*ret = pool;
	return 0;
}

int pool_get(struct cot *cot, const struct log *log, struct pool **ret)
{
	struct pool *pool;
	int r;

	if (cot->waiter && cot->waiter->wait != pool_wait)
		return -EINVAL;

	if (!cot->waiter) {
		r = pool_new(log, &pool);
		if (r < 0)
			return r;
		cot->waiter = &pool->waiter;
	}

	pool = (struct pool *)cot->waiter;
	pool->refs++;
	*ret = pool;
	return 0;
}

int pool_add(struct pool *pool, struct transfer *transfer)
{
	int r;

	transfer->moved_us = 0;
	if (pool_ahead(pool, transfer)) {
		transfer->state = TRANSFER_QUEUED;
	} else {
		r = start(pool, transfer);
		if (r < 0)
			return r;
	}
	link_last(pool, transfer);
	return 0;
}

void pool_lose(struct pool *pool, const struct transfer *transfer, const struct verdict *why)
{
	struct transfer *t;

	while (transfer->state == TRANSFER_RUNNING && (t = first_queued(pool, transfer)))
		lose(pool, t, why);
}

void pool_remove(struct pool *pool, struct transfer *transfer)
{
	bool was_running = transfer->state == TRANSFER_RUNNING;

	unlink_one(pool, transfer);
	if (was_running || transfer->state == TRANSFER_ENDED) {
		(void)pool->curl.multi_remove_handle(pool->multi, transfer->easy);
		for (size_t i = 0; i < pool->n_sockets; i++)
			if (pool->owners[i] == transfer)
				pool->owners[i] = NULL;
	}
	transfer->state = TRANSFER_IDLE;
	if (was_running)
		start_next(pool, transfer);
}
