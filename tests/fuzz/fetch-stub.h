/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HTTP without a network, in place of tang/fetch.c: include once in a fuzzer of what asks servers. */
#pragma once

#include "tang/fetch.h"
#include "tang/url.h"
#include "tests/fuzz/fuzz.h"

/* Of the next request: its failure, or what is answered. */
static struct {
	int result;
	long status;
	struct ref body;
	struct buf asked; /* the last request's */
} stub;

int fetch_url_check(const char *url)
{
	struct url parsed;

	return url_parse(url, &parsed);
}

int fetch_start(struct cot *cot, const struct log *log, const struct fetch_request *request,
		struct fetch **ret)
{
	(void)cot;
	(void)log;
	buf_done(&stub.asked);
	CHECK(buf_copy(&stub.asked, request->body) == 0);
	*ret = (struct fetch *)&stub;
	return 0;
}

int fetch_step(struct cot *cot, struct fetch *fetch, struct fetch_reply *ret)
{
	struct buf body = {0};

	(void)cot;
	CHECK(fetch == (struct fetch *)&stub);
	if (stub.result < 0)
		return stub.result;
	CHECK(buf_copy(&body, stub.body) == 0);
	*ret = (struct fetch_reply){.status = stub.status, .body = body};
	return 0;
}

struct fetch *fetch_free(struct fetch *fetch)
{
	(void)fetch;
	return NULL;
}

int fetch_run(struct cot *cot, const struct log *log, const struct fetch_request *request,
	      struct fetch_reply *ret)
{
	struct fetch *fetch;
	int r = fetch_start(cot, log, request, &fetch);

	return r < 0 ? r : fetch_step(cot, fetch, ret);
}
