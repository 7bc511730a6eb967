/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Surveys what a Tang server advertises. */
#include "tang/survey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void why_sink(void *to, enum log_level level, const char *line)
{
	const struct inquiry *q = to;

	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(q->survey->why, sizeof(q->survey->why), "%s", line);
	(void)log_dbg(q->outer, 0, "%s", line);
}

static int set_keys(struct survey *survey, const struct adv *adv, const struct jwk *exchange_key)
{
	CLEANUP_JSON json_t *keys = adv_to_jwks(adv, exchange_key);
	json_t *old = survey->keys;
	int r;

	if (!keys)
		return -ENOMEM;
	r = jwk_thumbprint(exchange_key, "S256", survey->kid);
	if (r < 0)
		return r;

	survey->keys = TAKE_PTR(keys);
	json_decref(old);
	return 0;
}

/* The first signing key held from this index on; n_keys: none. */
static size_t signing_key(const struct inquiry *q, size_t i)
{
	while (i < q->held.n_keys && !jwk_allows(&q->held.keys[i], JWK_OP_VERIFY))
		i++;
	return i;
}

/* Asks by the signing key at asked_by, or by none. */
static int ask(struct cot *cot, struct inquiry *q)
{
	char thumbprint[JWK_THUMBPRINT_MAX + 1];
	const struct fetch_request request = {
		.base = q->binding->server.url,
		.path = q->path,
		.ca = q->binding->server.ca,
		.pubkey = q->binding->server.pubkey,
	};
	int r;

	q->fetch = fetch_free(q->fetch);
	(void)snprintf(q->path, sizeof(q->path), "adv");
	if (q->asked_by < q->held.n_keys) {
		r = jwk_thumbprint(&q->held.keys[q->asked_by], "S256", thumbprint);
		if (r < 0)
			return r;
		(void)snprintf(q->path, sizeof(q->path), "adv/%s", thumbprint);
	}
	return fetch_start(cot, &q->log, &request, &q->fetch);
}

static int inquiry_begin(struct cot *cot, const struct log *log, const struct binding *binding,
			 const json_t *hdr, struct inquiry *q)
{
	const json_t *tang = json_object_get(json_object_get(hdr, "clevis"), "tang");
	int r;

	q->survey = calloc(1, sizeof(*q->survey));
	if (!q->survey)
		return -ENOMEM;
	q->survey->state = SURVEY_UNREACHABLE;
	q->binding = binding;
	q->outer = log;
	q->log = (struct log){.sink = why_sink, .to = q, .debug = log && log->debug};

	r = adv_from_jwks(json_object_get(tang, "adv"), "tang: clevis.tang.adv", log, &q->held);
	if (r == 0)
		r = set_keys(q->survey, &q->held, &binding->exchange_key);
	if (r < 0)
		return r;

	q->asked_by = signing_key(q, 0);
	return ask(cot, q) == -ENOMEM ? -ENOMEM : 0;
}

static bool has_signers_of(const struct adv *adv, const struct adv *other)
{
	char thumbprint[JWK_THUMBPRINT_MAX + 1];

	for (size_t i = 0; i < other->n_keys; i++)
		if (jwk_allows(&other->keys[i], JWK_OP_VERIFY) &&
		    (jwk_thumbprint(&other->keys[i], "S256", thumbprint) < 0 ||
		     !adv_signed_by(adv, thumbprint)))
			return false;
	return true;
}

/*
 * A trusted advertisement. An exchange key that is still in it is kept, wherever in the list: the order
 * is that of a folder on the server, and says nothing.
 */
static int compare(struct inquiry *q, const struct adv *adv)
{
	const struct jwk *key = adv_find(adv, q->binding->kid);
	bool key_stays = key && jwk_allows(key, JWK_OP_DERIVE_KEY);
	bool same_signers = has_signers_of(adv, &q->held) && has_signers_of(&q->held, adv);
	bool current = key_stays && same_signers;

	q->survey->state = current ? SURVEY_CURRENT : SURVEY_CHANGED;
	q->survey->why[0] = '\0';
	if (!current)
		(void)log_err(&q->log, 0, "%.200s %s%s%s%s", q->binding->server.url,
			      key_stays ? "" : "does not advertise the exchange key ",
			      key_stays ? "" : q->binding->kid,
			      key_stays      ? ""
			      : same_signers ? " any more"
					     : " any more, and ",
			      same_signers ? "" : "has other signing keys than the token holds");
	return set_keys(q->survey, adv, current ? key : adv_exchange_key(adv));
}

/* 0 where what came decides, -EAGAIN where it does not, -ENOMEM. */
static int weigh(struct inquiry *q, const struct fetch_reply *reply)
{
	const char *url = q->binding->server.url;
	bool by_key = q->asked_by < q->held.n_keys;
	CLEANUP(adv_done) struct adv adv = {0};
	int r;

	if (reply->status == 404 && by_key)
		return log_dbg(&q->log, -EAGAIN, "%.200s has no %s", url, q->path);
	if (reply->status != 200) {
		q->odd = true;
		return log_err(&q->log, -EAGAIN,
			       "%.200s answered HTTP %ld instead of an advertisement", url,
			       reply->status);
	}

	r = adv_parse(buf_ref(&reply->body), url, &q->log, &adv);
	if (r == 0)
		r = by_key ? adv_vouched(buf_ref(&reply->body), &q->held.keys[q->asked_by])
			   : -EKEYREJECTED;
	if (r == -ENOMEM)
		return r;
	if (r == 0)
		return compare(q, &adv);
	q->lied |= r == -EKEYREJECTED;
	q->odd |= r != -EKEYREJECTED;
	return -EAGAIN;
}

/*
 * After a reply that did not decide: asks on, or comes to an end without a fetch. Where no key has word
 * of an advertisement, /adv tells another server from one that is none.
 */
static int ask_on(struct cot *cot, struct inquiry *q)
{
	bool by_key = q->asked_by < q->held.n_keys;

	q->fetch = fetch_free(q->fetch);
	q->asked_by = signing_key(q, q->asked_by + by_key);
	if (q->asked_by < q->held.n_keys || (by_key && !q->lied && !q->odd))
		return ask(cot, q);
	if (!q->lied)
		return 0; /* SURVEY_UNREACHABLE, and `why` is known */

	q->survey->state = SURVEY_UNTRUSTED;
	return log_err(&q->log, 0,
		       "%.200s advertises keys that none of the signing keys held by the token has "
		       "signed: it was set up anew, or this is another server",
		       q->binding->server.url);
}

static int inquiry_step(struct cot *cot, struct inquiry *q, struct survey **ret)
{
	int r = 0;

	while (r == 0 && q->fetch) {
		struct fetch_reply reply = {0};

		r = fetch_step(cot, q->fetch, &reply);
		if (r == -EINPROGRESS)
			return r;
		if (r < 0)
			break;
		r = weigh(q, &reply);
		buf_done(&reply.body);
		if (r != -EAGAIN)
			break;
		r = ask_on(cot, q);
	}
	if (r == -ENOMEM)
		return r;

	*ret = TAKE_PTR(q->survey);
	return 0;
}

static void inquiry_done(struct inquiry *q)
{
	q->fetch = fetch_free(q->fetch);
	adv_done(&q->held);
	q->survey = survey_free(q->survey);
}

const struct surveyor tang_surveyor = {
	.begin = inquiry_begin,
	.step = inquiry_step,
	.done = inquiry_done,
};
