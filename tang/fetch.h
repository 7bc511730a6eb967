/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * HTTP for Tang on libcurl, which is loaded on first use: any number of requests at once in one
 * multi handle that lives at cot->waiter. Only http and https, no redirects, no proxy or netrc from
 * the environment, replies capped. What is retried: "the network is not there yet" (no route, no
 * address, name not resolvable, connection attempt unanswered) to the deadline, with backoff and
 * jitter; a refused connection for 3 s. An accepted connection that stays silent for 5 s has failed.
 */
#pragma once

#include "crypto/pin.h"

enum {
	FETCH_REPLY_MAX = 64 * 1024,
	FETCH_URL_MAX = 2048,
};

/* What to ask; all borrowed until the fetch is freed. */
struct fetch_request {
	const char *base; /* the server's URL, as fetch_url_check() accepts it */
	const char *path; /* appended after one slash, "adv" or "rec/KID" */
	struct ref body;  /* p NULL: GET, else POST of application/jwk+json */
	const char *ca;   /* PEM file to trust instead of the system's; NULL: the system's */
	const char
		*pubkey; /* "sha256//…": the server's public key; without `ca` it alone decides */
};

/* A whole answer, whatever its status. */
struct fetch_reply {
	long status;
	struct buf body;
};

struct fetch;

/*
 * Whether a URL can name a Tang server: http, https or no scheme (then http), a host, an optional
 * port and path prefix; no query, fragment, white space or control characters. Errors: -EBADMSG,
 * -E2BIG.
 */
MUST int fetch_url_check(const char *url);

/*
 * Puts a request on its way; nothing blocks. The cause of each failure goes to `log` (which must
 * outlive the fetch) at ERROR where it is final, else at DEBUG. Errors: -EBADMSG, -E2BIG (URL),
 * -EOPNOTSUPP (libcurl cannot be loaded), -ENOENT (no such CA file), -EINVAL (cot->waiter is not
 * ours), -ENOMEM.
 */
MUST int fetch_start(struct cot *cot, const struct log *log, const struct fetch_request *request,
		     struct fetch **ret);

/*
 * Looks at a request: 0 done, the caller owns ret->body; -EINPROGRESS; or its failure: -ENETUNREACH,
 * -EHOSTUNREACH, -ECONNREFUSED, -ETIMEDOUT (network), -EPROTO (not HTTP, reply too long), -EKEYREJECTED
 * (certificate, pinned key), -ENOMEM. Past the deadline it is never -EINPROGRESS.
 */
MUST int fetch_step(struct cot *cot, struct fetch *fetch, struct fetch_reply *ret);

/* Cancels where still on its way, and frees. Takes NULL; returns NULL. */
struct fetch *fetch_free(struct fetch *fetch);

/* fetch_start(), fetch_step() and cot_wait() to the end. Errors: theirs. */
MUST int fetch_run(struct cot *cot, const struct log *log, const struct fetch_request *request,
		   struct fetch_reply *ret);
