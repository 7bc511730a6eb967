/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All transfers of one cot: a curl multi handle, and the sockets and the time it waits for. */
#pragma once

#include "crypto/pin.h"
#include "tang/curl-dl.h"

struct pollfd;

/* What the end of an exchange means. */
struct verdict {
	int err;                                       /* as fetch_step(); 0: a reply came */
	enum { NEVER, BRIEFLY, UNTIL_DEADLINE } again; /* whether another try may fare better */
	const char *words;                             /* a literal */
};

/*
 * One HTTP exchange. Its owner makes and ends `easy` and `server`, and keeps the struct in place
 * meanwhile. Those to one server take turns, so that they share its name's address, a connection and,
 * where it cannot be reached, their fate.
 */
struct transfer {
	CURL *easy;
	char *server; /* its URL without what is asked: scheme, host, port and prefix */
	enum {
		TRANSFER_IDLE,
		TRANSFER_QUEUED, /* behind another one to the same server */
		TRANSFER_RUNNING,
		TRANSFER_ENDED,
		TRANSFER_LOST, /* the one ahead was given up: `fate` */
	} state;
	CURLcode result;   /* once it ended */
	uint64_t moved_us; /* when one of its sockets last had news; 0: none had since it began */
	struct verdict fate;
	struct transfer *next; /* of those that are queued or run */
};

struct pool {
	struct waiter waiter; /* first: what cot->waiter points at */
	unsigned refs;
	struct libcurl curl;
	CURLM *multi;
	uint64_t looked_us; /* when the sockets were last looked at */
	uint64_t timer_us;  /* when libcurl wants to be called whatever happens; 0: never */
	struct transfer *first;
	bool broken; /* libcurl or poll failed (no memory): no transfer goes on */
	struct pollfd *sockets;
	struct transfer **owners; /* of the sockets, by the same index; NULL: nobody any more */
	size_t n_sockets, max_sockets;
};

/*
 * The pool at cot->waiter, made on first use; the caller gets a reference of its own and ends it
 * with pool_unref(). The cause of a failure goes to `log` at ERROR. Errors: as libcurl_open(), and
 * -EINVAL (somebody else waits there).
 */
MUST int pool_get(struct cot *cot, const struct log *log, struct pool **ret);

void pool_unref(struct pool *pool);

/*
 * Starts a transfer that is idle, or lets it wait for its turn. Its progress is made in cot_wait().
 * Errors: -ENOMEM.
 */
MUST int pool_add(struct pool *pool, struct transfer *transfer);

/* The one that a queued transfer waits for. */
const struct transfer *pool_ahead(const struct pool *pool, const struct transfer *transfer);

/* Lets those that are queued behind this one know that its server was given up, and why. */
void pool_lose(struct pool *pool, const struct transfer *transfer, const struct verdict *why);

/* Stops a transfer where it runs; it is idle then. */
void pool_remove(struct pool *pool, struct transfer *transfer);
