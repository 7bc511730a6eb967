/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to Tang servers: when to try again, when to give up, and what to say then. */
#include "tang/fetch.h"

#include "crypto/ec.h"
#include "tang/http.h"
#include "tang/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
	SILENT_US = 5 * USEC_PER_SEC,
	REFUSED_US = 3 * USEC_PER_SEC,
	BACKOFF_MIN_US = 50 * USEC_PER_MSEC,
	BACKOFF_MAX_US = USEC_PER_SEC,
};

struct fetch {
	struct http http;
	const struct log *log;
	const char *base;

	int result; /* -EINPROGRESS until the end */
	unsigned tries;
	struct verdict last; /* of the last try that failed; err 0: none has */
	uint64_t began_us;
	uint64_t refused_us; /* the first refusal; 0: none yet */
	uint64_t retry_us;   /* when the next try begins */
	uint64_t backoff_us;
};

int fetch_url_check(const char *url)
{
	struct url parsed;

	return url_parse(url, &parsed);
}

/* The end: one sentence, with libcurl's own words where it was a single try that decided. */
static int give_up(struct fetch *f, const struct verdict *v, uint64_t now)
{
	uint64_t seconds = (now - f->began_us + USEC_PER_SEC / 2) / USEC_PER_SEC;
	const char *detail = v->again == NEVER ? f->http.detail : "";
	char tried[32] = "";

	if (v->again != NEVER)
		(void)snprintf(tried, sizeof(tried), " (tried for %u s)", (unsigned)seconds);

	if (pin_may_pass(v->err))
		http_lose(&f->http, v);
	else
		http_stop(&f->http);
	f->result = log_err(f->log, v->err, "%.200s: %s%s%.200s%s", f->base, v->words,
			    *detail ? ": " : "", detail, tried);
	return f->result;
}

/* 3/4 to 5/4 of the time, so that machines switched on together do not ask together. */
static uint64_t jitter(uint64_t us)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)now_us();
	return us - us / 4 + random % (us / 2);
}

/* After a try that failed: -EINPROGRESS and the time of the next one, or the end. */
static int try_failed(struct fetch *f, const struct verdict *v, uint64_t now)
{
	uint64_t pause = jitter(f->backoff_us);

	if (v->again == NEVER)
		return give_up(f, v, now);
	if (v->again == BRIEFLY) {
		if (f->refused_us == 0)
			f->refused_us = now;
		if (now >= f->refused_us + REFUSED_US)
			return give_up(f, v, now);
		if (now + pause > f->refused_us + REFUSED_US)
			pause = f->refused_us + REFUSED_US - now;
	}

	http_stop(&f->http);
	f->last = *v;
	f->retry_us = now + pause;
	f->backoff_us = f->backoff_us * 2 < BACKOFF_MAX_US ? f->backoff_us * 2 : BACKOFF_MAX_US;
	return log_dbg(f->log, -EINPROGRESS, "%.200s: try %u: %s (%.200s); again in %u ms", f->base,
		       f->tries, v->words, f->http.detail, (unsigned)(pause / USEC_PER_MSEC));
}

static int reply_came(struct fetch *f, struct fetch_reply *ret)
{
	long status = http_status(&f->http);

	http_stop(&f->http);
	f->result = log_dbg(f->log, 0, "%.200s: try %u: HTTP status %ld, %zu bytes", f->base,
			    f->tries, status, f->http.body.n);
	*ret = (struct fetch_reply){status, TAKE_STRUCT(f->http.body)};
	return 0;
}

/* Looks at the present try: 0 a reply came, -EINPROGRESS, or the end. */
static int look(struct fetch *f, uint64_t now)
{
	static const struct verdict no_memory = {-ENOMEM, NEVER, "out of memory"};
	static const struct verdict silent = {
		-ETIMEDOUT, NEVER, "it accepted the connection but stayed silent for 5 s"};
	const struct transfer *transfer = &f->http.transfer;
	const struct pool *pool = f->http.pool;
	struct verdict v;

	if (pool->broken)
		return give_up(f, &no_memory, now);

	if (transfer->state == TRANSFER_LOST)
		return give_up(f, &transfer->fate, now);
	if (transfer->state == TRANSFER_ENDED) {
		v = http_verdict(&f->http);
		return v.err == 0 ? 0 : try_failed(f, &v, now);
	}
	/* Not by the present time: another pin may have been busy while an answer came. */
	if (transfer->state == TRANSFER_RUNNING && transfer->moved_us != 0 &&
	    pool->looked_us >= transfer->moved_us + SILENT_US)
		return give_up(f, &silent, now);

	if (transfer->state == TRANSFER_IDLE && now >= f->retry_us) {
		f->tries++;
		if (http_begin(&f->http) < 0)
			return give_up(f, &no_memory, now);
	}
	return -EINPROGRESS;
}

/* What to say of a request that is on its way at the deadline. */
static struct verdict pending(const struct fetch *f, uint64_t deadline_us)
{
	if (f->began_us >= deadline_us)
		return (struct verdict){-ETIMEDOUT, NEVER, "no time was left to ask it"};
	if (f->last.err != 0 && f->http.header_bytes == 0)
		return f->last;
	return http_verdict_pending(&f->http);
}

int fetch_step(struct cot *cot, struct fetch *f, struct fetch_reply *ret)
{
	const struct transfer *transfer = &f->http.transfer;
	uint64_t now = now_us();
	struct verdict v;
	int r;

	if (f->result != -EINPROGRESS)
		return f->result;

	r = look(f, now);
	if (r == 0)
		return reply_came(f, ret);
	if (r != -EINPROGRESS) {
		cot_wake_at(cot, now); /* others may have waited for this one */
		return r;
	}

	if (now >= cot->deadline_us) {
		v = pending(f, cot->deadline_us);
		return give_up(f, &v, now);
	}

	if (transfer->state == TRANSFER_IDLE)
		cot_wake_at(cot, f->retry_us);
	else if (transfer->moved_us != 0)
		cot_wake_at(cot, transfer->moved_us + SILENT_US);
	return -EINPROGRESS;
}

DEFINE_CLEANUP(struct fetch *, fetch_free)

int fetch_start(struct cot *cot, const struct log *log, const struct fetch_request *request,
		struct fetch **ret)
{
	CLEANUP(fetch_freep) struct fetch *f = NULL;
	struct pool *pool;
	int r;

	r = pool_get(cot, log, &pool);
	if (r < 0)
		return r;

	f = calloc(1, sizeof(*f));
	if (!f) {
		pool_unref(pool);
		return -ENOMEM;
	}
	f->log = log;
	f->base = request->base;
	f->result = -EINPROGRESS;
	f->tries = 1;
	f->began_us = now_us();
	f->backoff_us = BACKOFF_MIN_US;

	r = http_init(&f->http, pool, request, log);
	if (r == 0)
		r = http_begin(&f->http);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(f);
	return 0;
}

struct fetch *fetch_free(struct fetch *f)
{
	CLEANUP_ERRORS; /* libcurl leaves those of TLS in the queue */

	if (f)
		http_done(&f->http);
	free(f);
	return NULL;
}

int fetch_run(struct cot *cot, const struct log *log, const struct fetch_request *request,
	      struct fetch_reply *ret)
{
	CLEANUP(fetch_freep) struct fetch *f = NULL;
	int r;

	r = fetch_start(cot, log, request, &f);
	while (r == 0) {
		r = fetch_step(cot, f, ret);
		if (r != -EINPROGRESS)
			return r;
		r = cot_wait(cot);
	}
	return r;
}
