/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares what is held with what is advertised. */
#include "enroll/clevis/rotated.h"

#include "enroll/clevis/jwe-text.h"
#include "tang/adv.h"
#include "tang/fetch.h"
#include "tang/header.h"
#include "token/token.h"

#include <errno.h>

enum { DEPTH_MAX = 8, HTTP_OK = 200 };

/* A walk through all servers of a policy. */
struct walk {
	const struct log *log;
	struct cot cot;
	json_t *keys;
	int error; /* of the first server that could not be asked */
};

static int fetch(struct walk *walk, const struct server *server, struct adv *ret)
{
	const struct fetch_request request = {
		.base = server->url,
		.path = "adv",
		.ca = server->ca,
		.pubkey = server->pubkey,
	};
	struct fetch_reply reply = {0};
	int r;

	r = fetch_run(&walk->cot, walk->log, &request, &reply);
	if (r == 0 && reply.status != HTTP_OK)
		r = log_err(walk->log, -EPROTO,
			    "%.200s answered HTTP %ld instead of an advertisement", server->url,
			    reply.status);
	if (r == 0)
		r = adv_parse(buf_ref(&reply.body), server->url, walk->log, ret);
	buf_done(&reply.body);
	return r;
}

/* Keys of kinds that Tang has not are nobody's business. */
static int add_missing(struct walk *walk, const json_t *held, const struct adv *adv)
{
	char thumbprint[JWK_THUMBPRINT_MAX + 1];
	const json_t *json;
	size_t i;

	json_array_foreach(json_object_get(held, "keys"), i, json) {
		CLEANUP(jwk_done) struct jwk key = {0};

		if (jwk_from_json(json, &key) < 0 || jwk_thumbprint(&key, "S256", thumbprint) < 0 ||
		    adv_find(adv, thumbprint))
			continue;
		if (json_array_append_new(walk->keys, json_string(thumbprint)) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int look_at_tang(struct walk *walk, const json_t *tang)
{
	CLEANUP(adv_done) struct adv adv = {0};
	struct server server;
	int r;

	walk->cot.deadline_us = now_us() + (uint64_t)TOKEN_DEADLINE_DEFAULT * USEC_PER_SEC;
	r = server_read(tang, walk->log, &server);
	if (r == 0)
		r = fetch(walk, &server, &adv);
	return r < 0 ? r : add_missing(walk, json_object_get(tang, "adv"), &adv);
}

static int look_at(struct walk *walk, const json_t *hdr, unsigned depth)
{
	const json_t *clevis = json_object_get(hdr, "clevis"), *content, *share;
	const char *pin = js_str(clevis, "pin");
	size_t i;
	int r;

	content = pin ? json_object_get(clevis, pin) : NULL;
	if (!json_is_object(content) || depth > DEPTH_MAX)
		return log_err(walk->log, -EBADMSG, "a part of the binding cannot be read");
	if (strcmp(pin, "tang") == 0)
		return look_at_tang(walk, content);
	if (strcmp(pin, "sss") != 0)
		return 0;

	json_array_foreach(json_object_get(content, "jwe"), i, share) {
		const char *text = json_string_value(share);
		CLEANUP_JSON json_t *below = NULL;

		r = text ? jwe_text_header(text, &below) : -EBADMSG;
		if (r == 0)
			r = look_at(walk, below, depth + 1);
		if (r == -ENOMEM)
			return r;
		if (r < 0 && walk->error == 0)
			walk->error = r;
	}
	return 0;
}

int rotated_keys(const json_t *hdr, const struct log *log, json_t **ret)
{
	struct walk walk = {.log = log, .cot = {.pins = pins, .log = log, .network = true}};
	int r;

	walk.keys = json_array();
	r = walk.keys ? look_at(&walk, hdr, 0) : -ENOMEM;
	cot_done(&walk.cot);
	if (r == 0 && json_array_size(walk.keys) == 0)
		r = walk.error;
	if (r < 0) {
		json_decref(walk.keys);
		return r;
	}
	*ret = walk.keys;
	return 0;
}
