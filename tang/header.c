/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the protected header of a tang JWE. */
#include "tang/header.h"

#include "tang/adv.h"
#include "tang/fetch.h"

#include <errno.h>

enum {
	CA_MAX = 1024,
};

void binding_done(struct binding *b)
{
	jwk_done(&b->epk);
	jwk_done(&b->exchange_key);
	json_decref(b->signing_thumbprints);
	*b = (struct binding){0};
}

static bool is_https(const char *url)
{
	return strncasecmp(url, "https://", strlen("https://")) == 0;
}

/* "sha256//" and the padded base64 of a SHA-256, one alone: libcurl would take a list. */
static bool is_pubkey(const char *text)
{
	static const char prefix[] = "sha256//";
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	enum { DIGITS = 43 };

	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return false;
	text += strlen(prefix);
	return strspn(text, digits) == DIGITS && strcmp(text + DIGITS, "=") == 0;
}

int server_read(const json_t *tang, const struct log *log, struct server *ret)
{
	static const char *const names[] = {"url", "ca", "pubkey"};
	struct server s;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const json_t *value = json_object_get(tang, names[i]);

		if (value && !json_is_string(value))
			return log_err(log, -EBADMSG, "tang: \"%s\" is not a string", names[i]);
	}
	s = (struct server){js_str(tang, "url"), js_str(tang, "ca"), js_str(tang, "pubkey")};

	if (!s.url)
		return log_err(log, -EBADMSG, "tang: there is no \"url\"");
	if (fetch_url_check(s.url) < 0)
		return log_err(log, -EBADMSG,
			       "tang: \"%.200s\" is not the URL of a Tang server, like "
			       "http://tang.example.com",
			       s.url);
	if ((s.ca || s.pubkey) && !is_https(s.url))
		return log_err(log, -EBADMSG,
			       "tang: %.200s: a CA file or public key needs an https URL", s.url);
	if (s.ca && (s.ca[0] != '/' || strlen(s.ca) > CA_MAX))
		return log_err(log, -EBADMSG,
			       "tang: the CA file \"%.200s\" is not an absolute path", s.ca);
	if (s.pubkey && !is_pubkey(s.pubkey))
		return log_err(log, -EBADMSG,
			       "tang: \"%.80s\" is not a public key like "
			       "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
			       s.pubkey);

	*ret = s;
	return 0;
}

static int read_keys(const json_t *hdr, struct binding *b, const struct log *log)
{
	const json_t *jwks =
		json_object_get(json_object_get(json_object_get(hdr, "clevis"), "tang"), "adv");
	CLEANUP(adv_done) struct adv adv = {0};
	const struct jwk *key;
	int r;

	r = adv_from_jwks(jwks, "tang: clevis.tang.adv", log, &adv);
	if (r < 0)
		return r;

	key = adv_find(&adv, b->kid);
	if (!key || (key->ops != 0 && !jwk_allows(key, JWK_OP_DERIVE_KEY)))
		return log_err(log, -EBADMSG,
			       "tang: the header's keys do not hold the exchange key that "
			       "its \"kid\" names");
	if (key->curve != b->epk.curve)
		return log_err(log, -EBADMSG,
			       "tang: \"epk\" and the exchange key are on different curves");

	b->exchange_key = *key; /* a public key: nothing of it is owned or secret */
	b->signing_thumbprints = adv_thumbprints(&adv);
	return b->signing_thumbprints ? 0 : -ENOMEM;
}

int binding_read(const json_t *hdr, const struct log *log, struct binding *ret)
{
	const json_t *tang = json_object_get(json_object_get(hdr, "clevis"), "tang");
	CLEANUP(binding_done) struct binding b = {0};
	const char *alg = js_str(hdr, "alg");
	int r;

	if (!alg || strcmp(alg, "ECDH-ES") != 0)
		return log_err(log, -EBADMSG, "tang: the header's \"alg\" is not ECDH-ES");

	r = server_read(tang, log, &b.server);
	if (r < 0)
		return r;

	b.kid = js_str(hdr, "kid");
	if (!b.kid || !jwk_is_thumbprint(b.kid))
		return log_err(log, -EBADMSG, "tang: the header has no usable \"kid\"");

	r = jwk_from_json(json_object_get(hdr, "epk"), &b.epk);
	if (r < 0)
		return log_err(log, r, "tang: the header has no usable \"epk\"");

	r = read_keys(hdr, &b, log);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(b);
	return 0;
}
