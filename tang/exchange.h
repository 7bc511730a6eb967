/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The McCallum-Relyea exchange of one tang JWE: a blinded point goes to the server, the key comes back. */
#pragma once

#include "tang/fetch.h"
#include "tang/header.h"

/* On its way; a zeroed struct is empty. It keeps its address. */
struct exchange {
	struct jwk blind;
	char path[sizeof("rec/") + TANG_KID_MAX];
	char *body;
	struct fetch *fetch;
};

void exchange_done(struct exchange *exchange);

/*
 * Sends the request; `binding` is borrowed. The cause of a failure goes to `log` at ERROR, or there
 * is none but memory. Errors: those of fetch_start(), -EIO.
 */
MUST int exchange_begin(struct cot *cot, const struct log *log, const struct binding *binding,
			struct exchange *exchange);

/*
 * Looks at it: 0 and the content encryption key of the JWE with the header `hdr` in a new buffer,
 * -EINPROGRESS, or its failure, the cause in `log` at ERROR. Errors: those of fetch_step(), and
 * -EPROTO (the answer is none), -EBADMSG (the header).
 */
MUST int exchange_step(struct cot *cot, const struct log *log, const struct binding *binding,
		       struct exchange *exchange, const json_t *hdr, struct buf *ret_cek);
