/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands in for tang/fetch.c: this program's fetch_*() are linked instead of the library's, and the
 * server behind them is in memory. What was asked is kept, what is answered is set by the test.
 */
#pragma once

#include "crypto/pin.h"
#include "tang/fetch.h"
#include "tang/tang.h"
#include "tang/url.h"
#include "tests/unit/lines.h"
#include "tests/unit/server.h"

struct fetch {
	struct fetch_request copy; /* of the struct: what it points at must live on */
	const struct log *log;
	bool waited;
};

static struct network {
	struct jwk sign, exchange;

	/* what to do other than answer honestly */
	int start_error, step_error;
	long status;                            /* 0: as a server would */
	const char *text;                       /* of the reply, whatever was asked */
	json_t *(*answer)(struct ref body);     /* to POST /rec */
	json_t *(*advertise)(const char *path); /* to GET /adv */
	int adv_error;                          /* of GET /adv alone */
	long adv_status;

	/* what was seen */
	unsigned started, alive;
	char base[FETCH_URL_MAX + 1], path[256], ca[256], pubkey[256];
	char body[JWK_TEXT_MAX]; /* empty: GET */
} net;

static inline void network_begin(const char *curve)
{
	jwk_done(&net.sign);
	jwk_done(&net.exchange);
	net = (struct network){0};
	assert_int_equal(jwk_generate(curve_by_name(curve), &net.sign), 0);
	assert_int_equal(jwk_generate(curve_by_name(curve), &net.exchange), 0);
}

static inline int network_end(void **state)
{
	(void)state;
	jwk_done(&net.sign);
	jwk_done(&net.exchange);
	assert_int_equal(net.alive, 0);
	return 0;
}

int fetch_url_check(const char *url)
{
	struct url parsed;

	return url_parse(url, &parsed);
}

static inline void keep_text(char *to, size_t size, const char *text)
{
	(void)snprintf(to, size, "%s", text ? text : "");
}

int fetch_start(struct cot *cot, const struct log *log, const struct fetch_request *request,
		struct fetch **ret)
{
	struct fetch *f;

	assert_true(cot->network);
	if (net.start_error)
		return log_err(log, net.start_error, "the network cannot be used");

	f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->copy = *request;
	f->log = log;
	net.started++;
	net.alive++;
	keep_text(net.base, sizeof(net.base), request->base);
	keep_text(net.path, sizeof(net.path), request->path);
	keep_text(net.ca, sizeof(net.ca), request->ca);
	keep_text(net.pubkey, sizeof(net.pubkey), request->pubkey);
	(void)snprintf(net.body, sizeof(net.body), "%.*s", (int)request->body.n,
		       request->body.p ? (const char *)request->body.p : "");
	*ret = f;
	return 0;
}

/* Whether the last part of a path, "adv/THUMBPRINT", is this key's. */
static inline bool path_names(const char *path, const char *folder, const struct jwk *key)
{
	return strncmp(path, folder, strlen(folder)) == 0 &&
	       jwk_has_thumbprint(key, path + strlen(folder));
}

/* As tangd answers; NULL: 404. */
static inline json_t *served(const struct fetch_request *request)
{
	if (request->body.p && net.answer)
		return net.answer(request->body);
	if (request->body.p)
		return path_names(request->path, "rec/", &net.exchange)
			       ? exchanged(request->body, &net.exchange)
			       : NULL;
	if (net.advertise)
		return net.advertise(request->path);
	return strcmp(request->path, "adv") == 0 || path_names(request->path, "adv/", &net.sign)
		       ? usual_adv(&net.sign, &net.exchange)
		       : NULL;
}

int fetch_step(struct cot *cot, struct fetch *f, struct fetch_reply *ret)
{
	struct fetch_reply reply = {.status = 404};
	json_t *json = NULL;
	char *text = NULL;

	if (!f->waited) {
		f->waited = true;
		cot_wake_at(cot, now_us());
		return -EINPROGRESS;
	}
	if (net.step_error || (net.adv_error && !f->copy.body.p))
		return log_err(f->log, net.step_error ? net.step_error : net.adv_error,
			       "%s: no answer", f->copy.base);

	if (!net.text)
		json = served(&f->copy);
	if (json)
		assert_int_equal(js_dump(json, &text), 0);
	if (text || net.text)
		reply.status = 200;
	if (net.status || (net.adv_status && !f->copy.body.p))
		reply.status = net.status ? net.status : net.adv_status;
	assert_int_equal(buf_copy(&reply.body, ref_str(text ? text : net.text ? net.text : "")), 0);
	free(text);
	json_decref(json);
	*ret = reply;
	return 0;
}

struct fetch *fetch_free(struct fetch *f)
{
	if (f)
		net.alive--;
	free(f);
	return NULL;
}

int fetch_run(struct cot *cot, const struct log *log, const struct fetch_request *request,
	      struct fetch_reply *ret)
{
	struct fetch *f;
	int r;

	r = fetch_start(cot, log, request, &f);
	if (r < 0)
		return r;
	while ((r = fetch_step(cot, f, ret)) == -EINPROGRESS)
		assert_int_equal(cot_wait(cot), 0);
	fetch_free(f);
	return r;
}
