/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tang pin: binds to a Tang server's exchange key and recovers by the McCallum-Relyea exchange. */
#include "tang/tang.h"

#include "tang/adv.h"
#include "tang/exchange.h"
#include "tang/fetch.h"
#include "tang/header.h"
#include "tang/survey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* An exchange on its way, and the survey that may go with it. */
struct state {
	struct binding binding;
	struct exchange exchange;
	const struct surveyor *surveyor; /* NULL: there is no survey */
	struct inquiry inquiry;
	struct buf cek; /* recovered, while the survey has come to no end */
	bool begun;
	int recovered, surveyed; /* -EINPROGRESS to their ends */
};

static int tang_check(const struct pin *const *all, const json_t *hdr, const struct log *log)
{
	CLEANUP(binding_done) struct binding b = {0};

	(void)all;
	return binding_read(hdr, log, &b);
}

static int read_file(const char *name, const struct log *log, struct buf *ret)
{
	CLEANUP(buf_done) struct buf text = {0};
	FILE *f;
	int r;

	r = buf_init(&text, FETCH_REPLY_MAX + 1);
	if (r < 0)
		return r;

	f = fopen(name, "re");
	if (!f)
		return log_err(log, -ENOENT, "the advertisement %.200s cannot be read: %s", name,
			       strerror(errno));
	text.n = fread(text.p, 1, text.cap, f);
	r = ferror(f) ? -ENOENT : text.n > FETCH_REPLY_MAX ? -E2BIG : 0;
	(void)fclose(f);
	if (r < 0)
		return log_err(log, r,
			       "the advertisement %.200s cannot be read or is longer than %d bytes",
			       name, FETCH_REPLY_MAX);

	*ret = TAKE_STRUCT(text);
	return 0;
}

static int fetch_adv(struct cot *cot, const struct server *server, const char *thp, struct buf *ret)
{
	struct fetch_request request = {
		.base = server->url, .ca = server->ca, .pubkey = server->pubkey};
	struct fetch_reply reply = {0};
	char path[sizeof("adv/") + TANG_KID_MAX];
	int r;

	(void)snprintf(path, sizeof(path), thp ? "adv/%s" : "adv", thp);
	request.path = path;
	r = fetch_run(cot, cot->log, &request, &reply);
	if (r < 0)
		return r;

	if (reply.status == 200) {
		*ret = TAKE_STRUCT(reply.body);
		return 0;
	}
	buf_done(&reply.body);
	if (reply.status == 404 && thp)
		return log_err(cot->log, -EKEYREJECTED,
			       "%.200s has no signing key with the thumbprint %s; "
			       "run tang-show-keys on the server to see those it has",
			       server->url, thp);
	return log_err(cot->log, -EPROTO,
		       "%.200s answered HTTP %ld instead of an advertisement; is this "
		       "the address of a Tang server?",
		       server->url, reply.status);
}

/* The advertisement by file, object or network, and whether naming it was a decision to trust it. */
static int get_adv(struct cot *cot, const json_t *cfg, const struct server *server, struct adv *ret)
{
	const json_t *saved = json_object_get(cfg, "adv");
	const char *file = json_string_value(saved);
	CLEANUP(buf_done) struct buf text = {0};
	char *dumped = NULL;
	int r;

	if (file)
		r = read_file(file, cot->log, &text);
	else if (!saved)
		r = fetch_adv(cot, server, js_str(cfg, "thp"), &text);
	else if (!json_is_object(saved))
		r = log_err(cot->log, -EINVAL,
			    "tang: \"adv\" is neither a file name nor an object");
	else
		r = js_dump(saved, &dumped);
	if (dumped) {
		r = buf_copy(&text, ref_str(dumped));
		free(dumped);
	}
	if (r < 0)
		return r;

	return adv_parse(buf_ref(&text), file ? file : server->url, cot->log, ret);
}

/* Design: a thumbprint given always decides; a saved advertisement is the user's own word. */
static int decide_trust(struct cot *cot, const json_t *cfg, const struct server *server,
			const struct adv *adv)
{
	const char *thp = js_str(cfg, "thp");
	CLEANUP_JSON json_t *thumbprints = NULL;
	struct trust_question question;
	uint64_t asked_us;
	int r;

	if (thp && !adv_signed_by(adv, thp))
		return log_err(cot->log, -EKEYREJECTED,
			       "the advertisement of %.200s is not signed by the "
			       "key with the thumbprint %s",
			       server->url, thp);
	if (thp || json_object_get(cfg, "adv"))
		return 0;

	thumbprints = adv_thumbprints(adv);
	if (!thumbprints)
		return -ENOMEM;
	question = (struct trust_question){server->url, thumbprints};
	if (!cot->confirm)
		return log_err(cot->log, -EKEYREJECTED,
			       "the signing keys of %.200s are not known to be its own",
			       server->url);
	asked_us = now_us();
	r = cot->confirm(cot->confirm_arg, &question);
	cot->deadline_us += now_us() - asked_us; /* servers are waited for, not people */
	return r;
}

/* A misspelt member would silently drop a condition, so only known ones pass. */
static int check_config(const json_t *cfg, const struct log *log)
{
	static const char *const known[] = {"url", "thp", "adv", "ca", "pubkey", "keys", "kid"};
	const char *name, *thp = js_str(cfg, "thp");
	const json_t *value;

	json_object_foreach((json_t *)(uintptr_t)cfg, name, value) {
		size_t i = 0;

		while (i < ARRAY_SIZE(known) && strcmp(known[i], name) != 0)
			i++;
		if (i == ARRAY_SIZE(known))
			return log_err(log, -EINVAL,
				       "tang: the configuration has an unknown member "
				       "\"%.64s\"",
				       name);
	}
	if (json_object_get(cfg, "thp") && (!thp || !jwk_is_thumbprint(thp)))
		return log_err(log, -EINVAL,
			       "\"%.80s\" is not the thumbprint of a key (43 letters and "
			       "digits, as tang-show-keys prints)",
			       thp ? thp : "");
	if (!json_object_get(cfg, "keys") != !json_object_get(cfg, "kid") ||
	    (json_object_get(cfg, "keys") &&
	     (json_object_get(cfg, "adv") || json_object_get(cfg, "thp"))))
		return log_err(log, -EINVAL,
			       "tang: \"keys\" and \"kid\" go together, and without \"adv\" and "
			       "\"thp\"");
	return 0;
}

/* The keys that `cfg` holds, and the one of them that it names: what a survey says. */
static int get_keys(struct cot *cot, const json_t *cfg, const struct server *server,
		    struct adv *ret, const struct jwk **ret_exchange_key)
{
	const char *kid = js_str(cfg, "kid");
	CLEANUP(adv_done) struct adv adv = {0};
	const struct jwk *key;
	int r;

	r = adv_from_jwks(json_object_get(cfg, "keys"), server->url, cot->log, &adv);
	if (r < 0)
		return r;
	key = kid ? adv_find(&adv, kid) : NULL;
	if (!key || !jwk_allows(key, JWK_OP_DERIVE_KEY))
		return log_err(cot->log, -EINVAL,
			       "tang: \"kid\" names no exchange key that is in \"keys\"");

	*ret = TAKE_STRUCT(adv);
	*ret_exchange_key = key; /* it stays where it is */
	return 0;
}

static int choose_keys(struct cot *cot, const json_t *cfg, const struct server *server,
		       struct adv *ret, const struct jwk **ret_exchange_key)
{
	CLEANUP(adv_done) struct adv adv = {0};
	int r;

	if (json_object_get(cfg, "keys"))
		return get_keys(cot, cfg, server, ret, ret_exchange_key);

	r = get_adv(cot, cfg, server, &adv);
	if (r == 0)
		r = decide_trust(cot, cfg, server, &adv);
	if (r < 0)
		return r;
	*ret_exchange_key = adv_exchange_key(&adv);
	*ret = TAKE_STRUCT(adv);
	return 0;
}

static int set_header(json_t *hdr, const struct server *server, const struct adv *adv,
		      const struct jwk *exchange_key)
{
	json_t *tang = json_pack("{s:s, s:s*, s:s*, s:o}", "url", server->url, "ca", server->ca,
				 "pubkey", server->pubkey, "adv", adv_to_jwks(adv, exchange_key));
	char kid[JWK_THUMBPRINT_MAX + 1];
	int r;

	r = jwk_thumbprint(exchange_key, "S256", kid);
	if (r < 0) {
		json_decref(tang);
		return r;
	}
	if (json_object_set_new(json_object_get(hdr, "clevis"), "tang", tang) != 0 ||
	    json_object_set_new(hdr, "kid", json_string(kid)) != 0)
		return -ENOMEM;
	return 0;
}

static int tang_encrypt(struct cot *cot, const json_t *cfg, json_t *hdr, struct buf *ret_cek)
{
	CLEANUP(adv_done) struct adv adv = {0};
	const struct jwk *exchange_key = NULL;
	struct server server;
	int r;

	r = check_config(cfg, cot->log);
	if (r == 0)
		r = server_read(cfg, cot->log, &server);
	if (r == 0)
		r = choose_keys(cot, cfg, &server, &adv, &exchange_key);
	if (r == 0)
		r = set_header(hdr, &server, &adv, exchange_key);
	if (r < 0)
		return r;

	return jwe_agree(hdr, exchange_key, ret_cek);
}

/* Both requests go out at once: those to one server share a connection. */
static int begin(struct cot *cot, struct job *job)
{
	struct state *s = job->state;
	int r;

	r = binding_read(job->jwe->hdr, &job->log, &s->binding);
	if (r < 0)
		return r;
	(void)snprintf(job->where, sizeof(job->where), "%s", s->binding.server.url);

	r = exchange_begin(cot, &job->log, &s->binding, &s->exchange);
	s->recovered = r < 0 ? r : -EINPROGRESS;
	s->begun = true;
	s->surveyor = cot->survey ? cot->surveyor : NULL;
	if (!s->surveyor)
		return 0;

	r = s->surveyor->begin(cot, job->outer, &s->binding, job->jwe->hdr, &s->inquiry);
	s->surveyed = -EINPROGRESS;
	return r;
}

static int tang_decrypt(struct cot *cot, struct job *job, struct buf *ret_cek)
{
	struct state *s = job->state;
	int r;

	if (!cot->network)
		return -EINPROGRESS;

	r = s->begun ? 0 : begin(cot, job);
	if (r < 0)
		return r;

	if (s->recovered == -EINPROGRESS)
		s->recovered = exchange_step(cot, &job->log, &s->binding, &s->exchange,
					     job->jwe->hdr, &s->cek);
	if (s->surveyed == -EINPROGRESS)
		s->surveyed = s->surveyor->step(cot, &s->inquiry, &job->survey);
	if (s->recovered == -EINPROGRESS || s->surveyed < 0)
		return s->recovered == -EINPROGRESS ? s->recovered : s->surveyed;

	if (s->recovered == 0)
		*ret_cek = TAKE_STRUCT(s->cek);
	return s->recovered;
}

static int tang_describe(const struct pin *const *all, const json_t *hdr, json_t *facts)
{
	CLEANUP(binding_done) struct binding b = {0};
	int r;

	(void)all;
	r = binding_read(hdr, NULL, &b);
	if (r < 0)
		return r;

	if (json_object_set_new(facts, "url", json_string(b.server.url)) != 0 ||
	    json_object_set(facts, "signing_keys", b.signing_thumbprints) != 0 ||
	    json_object_set_new(facts, "exchange_key", json_string(b.kid)) != 0 ||
	    (b.server.ca && json_object_set_new(facts, "ca", json_string(b.server.ca)) != 0) ||
	    (b.server.pubkey &&
	     json_object_set_new(facts, "pubkey", json_string(b.server.pubkey)) != 0))
		return -ENOMEM;
	return 0;
}

static void tang_release(struct job *job)
{
	struct state *s = job->state;

	buf_done(&s->cek);
	exchange_done(&s->exchange);
	if (s->surveyor)
		s->surveyor->done(&s->inquiry);
	binding_done(&s->binding);
}

const struct pin pin_tang = {
	.name = "tang",
	.flags = PIN_NET,
	.state_size = sizeof(struct state),
	.check = tang_check,
	.encrypt = tang_encrypt,
	.decrypt = tang_decrypt,
	.describe = tang_describe,
	.release = tang_release,
};
