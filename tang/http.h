/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One HTTP exchange on libcurl: what is sent, how much is taken, and what its end means. */
#pragma once

#include "tang/fetch.h"
#include "tang/pool.h"

enum {
	HTTP_CONNECT_MS = 3000, /* for each address of a server */
};

/* An exchange that can be tried again; a zeroed struct is empty. */
struct http {
	struct transfer transfer; /* first */
	struct pool *pool;
	struct curl_slist *headers;
	struct buf body;
	size_t header_bytes;
	bool headers_ended;           /* libcurl is content with a reply that stops before */
	char detail[CURL_ERROR_SIZE]; /* libcurl's words on a failure; may be empty */
};

/*
 * Prepares an exchange, which keeps its address and borrows the request's body. It owns a reference
 * to `pool`, given by the caller, also on failure. The cause goes to `log` at ERROR. Errors:
 * -EBADMSG (URL, pinned key), -E2BIG, -ENOENT (no such CA file), -EOPNOTSUPP, -ENOMEM.
 */
MUST int http_init(struct http *http, struct pool *pool, const struct fetch_request *request,
		   const struct log *log);

/* Stops it where it runs, and frees. Takes zeroed structs too. */
void http_done(struct http *http);

/* Starts a try; an earlier one must have been stopped. Errors: -ENOMEM. */
MUST int http_begin(struct http *http);

/* Stops a try; what it brought is kept until the next one begins. */
void http_stop(struct http *http);

/* The same where the server was given up, for those too that wait to ask it. */
void http_lose(struct http *http, const struct verdict *why);

/* What the end of the last try means. */
struct verdict http_verdict(const struct http *http);

/* The same for one that has not come to an end. */
struct verdict http_verdict_pending(const struct http *http);

/* The status of the reply. */
long http_status(const struct http *http);
