/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The McCallum-Relyea exchange. */
#include "tang/exchange.h"

#include "crypto/ecmr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void exchange_done(struct exchange *exchange)
{
	exchange->fetch = fetch_free(exchange->fetch);
	free(exchange->body);
	exchange->body = NULL;
	jwk_done(&exchange->blind);
}

/* X = E + tG, so that the server learns nothing of which binding asks. */
int exchange_begin(struct cot *cot, const struct log *log, const struct binding *binding,
		   struct exchange *exchange)
{
	CLEANUP(jwk_done) struct jwk blinded = {0};
	CLEANUP_JSON json_t *json = NULL;
	struct fetch_request request;
	int r;

	r = jwk_generate(binding->epk.curve, &exchange->blind);
	if (r == 0)
		r = ecmr_add(&binding->epk, &exchange->blind, &blinded);
	if (r < 0)
		return r;

	json = jwk_to_json(&blinded);
	if (!json || json_object_set_new(json, "alg", json_string("ECMR")) != 0)
		return -ENOMEM;
	r = js_dump(json, &exchange->body);
	if (r < 0)
		return r;

	(void)snprintf(exchange->path, sizeof(exchange->path), "rec/%s", binding->kid);
	request = (struct fetch_request){
		.base = binding->server.url,
		.path = exchange->path,
		.body = ref_str(exchange->body),
		.ca = binding->server.ca,
		.pubkey = binding->server.pubkey,
	};
	return fetch_start(cot, log, &request, &exchange->fetch);
}

/* The server's Y: a public point of the binding's curve, or a sentence about what came instead. */
static int read_reply(const struct log *log, const struct binding *binding,
		      const struct fetch_reply *reply, struct jwk *ret)
{
	const char *url = binding->server.url;
	CLEANUP(jwk_done) struct jwk key = {0};
	CLEANUP_JSON json_t *json = NULL;
	int r;

	if (reply->status == 404)
		return log_err(log, -EPROTO,
			       "%.200s does not have the key %s any more (HTTP 404): it "
			       "was deleted there, or this is another server",
			       url, binding->kid);
	if (reply->status != 200)
		return log_err(log, -EPROTO, "%.200s answered HTTP %ld", url, reply->status);

	r = js_load(buf_ref(&reply->body), &json);
	if (r == 0)
		r = jwk_from_json(json, &key);
	if (r == 0 && key.curve != binding->epk.curve)
		r = -EBADMSG;
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return log_err(log, -EPROTO,
			       "%.200s did not answer with a point on the curve of the "
			       "exchange_key",
			       url);
	jwk_move(&key, ret);
	return 0;
}

/* Z = Y - tS */
static int finish(const struct log *log, const struct binding *binding, const struct jwk *blind,
		  const struct fetch_reply *reply, struct jwk *ret_shared)
{
	CLEANUP(jwk_done) struct jwk answer = {0};
	CLEANUP(jwk_done) struct jwk mask = {0};
	int r;

	r = read_reply(log, binding, reply, &answer);
	if (r < 0)
		return r;

	r = ecmr_mul(&binding->exchange_key, blind, &mask);
	if (r == 0)
		r = ecmr_sub(&answer, &mask, ret_shared);
	if (r == -EBADMSG)
		return log_err(log, -EPROTO, "%.200s answered with a point at which no key can be",
			       binding->server.url);
	return r;
}

int exchange_step(struct cot *cot, const struct log *log, const struct binding *binding,
		  struct exchange *exchange, const json_t *hdr, struct buf *ret_cek)
{
	CLEANUP(jwk_done) struct jwk shared = {0};
	struct fetch_reply reply = {0};
	int r;

	r = fetch_step(cot, exchange->fetch, &reply);
	if (r == 0)
		r = finish(log, binding, &exchange->blind, &reply, &shared);
	buf_done(&reply.body);
	if (r < 0)
		return r;

	return jwe_derive_cek(hdr, (struct ref){shared.x, shared.curve->size}, ret_cek);
}
