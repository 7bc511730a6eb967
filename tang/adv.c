/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tang advertisements. */
#include "tang/adv.h"

#include "crypto/jws.h"

#include <errno.h>
#include <stdlib.h>

void adv_done(struct adv *adv)
{
	for (size_t i = 0; i < adv->n_keys; i++)
		jwk_done(&adv->keys[i]);
	free(adv->keys);
	*adv = (struct adv){0};
}

static int add_key(struct adv *adv, const json_t *json, const char *where, const struct log *log)
{
	unsigned ops;
	int r;

	r = jwk_json_ops(json, &ops);
	if (r == 0)
		r = jwk_from_json(json, &adv->keys[adv->n_keys]);
	if (r == -EOPNOTSUPP && !(ops & JWK_OP_VERIFY))
		return log_dbg(log, 0, "%s: a key of a kind that is not supported is left out",
			       where);
	if (r == -EOPNOTSUPP)
		return log_err(log, r,
			       "%s: the advertisement has a signing key of a kind or curve "
			       "that is not supported",
			       where);
	if (r < 0)
		return log_err(log, r, "%s: the advertisement has a malformed key", where);

	adv->n_keys++;
	return 0;
}

int adv_from_jwks(const json_t *jwks, const char *where, const struct log *log, struct adv *ret)
{
	const json_t *keys = json_object_get(jwks, "keys"), *key;
	CLEANUP(adv_done) struct adv adv = {0};
	size_t i;

	if (!json_is_array(keys))
		return log_err(log, -EBADMSG, "%s: the advertisement has no list of keys", where);
	if (json_array_size(keys) > ADV_KEYS_MAX)
		return log_err(log, -E2BIG, "%s: the advertisement has more than %d keys", where,
			       ADV_KEYS_MAX);

	adv.keys = calloc(ADV_KEYS_MAX, sizeof(*adv.keys));
	if (!adv.keys)
		return -ENOMEM;

	json_array_foreach(keys, i, key) {
		int r = add_key(&adv, key, where, log);

		if (r < 0)
			return r;
	}

	*ret = TAKE_STRUCT(adv);
	return 0;
}

/* Every signing key must have signed: else whoever holds one of them could slip in the others. */
static int verify_all(const json_t *jws, const struct adv *adv, const char *where,
		      const struct log *log)
{
	char thumbprint[JWK_THUMBPRINT_MAX + 1];
	size_t n = 0;
	int r;

	for (size_t i = 0; i < adv->n_keys; i++) {
		const struct jwk *key = &adv->keys[i];

		if (!jwk_allows(key, JWK_OP_VERIFY))
			continue;
		n++;
		r = jws_verify(jws, key);
		if (r == -EBADMSG || r == -E2BIG)
			return log_err(log, r, "%s: the advertisement's signatures are malformed",
				       where);
		if (r == -EKEYREJECTED && jwk_thumbprint(key, "S256", thumbprint) == 0)
			return log_err(log, r,
				       "%s: the advertisement is not signed by its signing key %s",
				       where, thumbprint);
		if (r < 0)
			return r;
	}
	if (n == 0)
		return log_err(log, -EPROTO, "%s: the advertisement has no signing key", where);
	return 0;
}

int adv_parse(struct ref text, const char *where, const struct log *log, struct adv *ret)
{
	CLEANUP(adv_done) struct adv adv = {0};
	CLEANUP(buf_done) struct buf payload = {0};
	CLEANUP_JSON json_t *jws = NULL;
	CLEANUP_JSON json_t *jwks = NULL;
	int r;

	r = js_load(text, &jws);
	if (r == 0)
		r = jws_payload(jws, &payload);
	if (r == 0)
		r = js_load(buf_ref(&payload), &jwks);
	if (r < 0)
		return log_err(log, r,
			       "%s: this is not a Tang advertisement (a signed JSON set of keys)",
			       where);

	r = adv_from_jwks(jwks, where, log, &adv);
	if (r == 0)
		r = verify_all(jws, &adv, where, log);
	if (r < 0)
		return r;
	if (!adv_exchange_key(&adv))
		return log_err(log, -EPROTO,
			       "%s: the advertisement has no exchange key on P-256, P-384 or "
			       "P-521",
			       where);

	*ret = TAKE_STRUCT(adv);
	return 0;
}

const struct jwk *adv_find(const struct adv *adv, const char *thumbprint)
{
	for (size_t i = 0; i < adv->n_keys; i++)
		if (jwk_has_thumbprint(&adv->keys[i], thumbprint))
			return &adv->keys[i];
	return NULL;
}

const struct jwk *adv_exchange_key(const struct adv *adv)
{
	for (size_t i = 0; i < adv->n_keys; i++)
		if (jwk_allows(&adv->keys[i], JWK_OP_DERIVE_KEY))
			return &adv->keys[i];
	return NULL;
}

bool adv_signed_by(const struct adv *adv, const char *thumbprint)
{
	const struct jwk *key = adv_find(adv, thumbprint);

	return key && jwk_allows(key, JWK_OP_VERIFY);
}

json_t *adv_thumbprints(const struct adv *adv)
{
	CLEANUP_JSON json_t *list = json_array();
	char thumbprint[JWK_THUMBPRINT_MAX + 1];

	for (size_t i = 0; i < adv->n_keys; i++) {
		if (!jwk_allows(&adv->keys[i], JWK_OP_VERIFY))
			continue;
		if (jwk_thumbprint(&adv->keys[i], "S256", thumbprint) < 0 ||
		    json_array_append_new(list, json_string(thumbprint)) != 0)
			return NULL;
	}
	return TAKE_PTR(list);
}

static int append_jwk(json_t *keys, const struct jwk *key, const char *alg, const char *op)
{
	CLEANUP_JSON json_t *json = jwk_to_json(key);

	if (!json || json_object_set_new(json, "alg", json_string(alg)) != 0 ||
	    json_object_set_new(json, "key_ops", json_pack("[s]", op)) != 0)
		return -ENOMEM;

	return json_array_append(keys, json) == 0 ? 0 : -ENOMEM;
}

int adv_vouched(struct ref text, const struct jwk *key)
{
	CLEANUP_JSON json_t *jws = NULL;
	int r;

	r = js_load(text, &jws);
	return r < 0 ? r : jws_verify(jws, key);
}

json_t *adv_to_jwks(const struct adv *adv, const struct jwk *exchange_key)
{
	CLEANUP_JSON json_t *keys = json_array();

	for (size_t i = 0; i < adv->n_keys; i++) {
		const struct jwk *key = &adv->keys[i];

		if (jwk_allows(key, JWK_OP_VERIFY) &&
		    append_jwk(keys, key, key->curve->jws_alg, "verify") < 0)
			return NULL;
	}
	if (append_jwk(keys, exchange_key, "ECMR", "deriveKey") < 0)
		return NULL;

	return json_pack("{s:O}", "keys", keys);
}
