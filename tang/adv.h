/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tang advertisements: a JWS over a JWK set, signed by every signing key in it. */
#pragma once

#include "crypto/jwk.h"
#include "crypto/log.h"

enum { ADV_KEYS_MAX = 32 };

/* The usable keys of an advertisement; a zeroed struct is empty. */
struct adv {
	struct jwk *keys;
	size_t n_keys;
};

void adv_done(struct adv *adv);

/*
 * Reads a JWK set {"keys":[…]} without any signature: what a token keeps of an advertisement. Keys
 * of unknown kinds are left out unless they may `verify`. The cause goes to `log` at ERROR, `where`
 * (a URL or file name) in it. Errors: -EBADMSG, -EOPNOTSUPP, -E2BIG (too many keys), -ENOMEM.
 */
MUST int adv_from_jwks(const json_t *jwks, const char *where, const struct log *log,
		       struct adv *ret);

/*
 * Parses and verifies an advertisement: at least one key may `verify` and every one that may has
 * signed, and there is an exchange key. Errors: as adv_from_jwks(), and -EKEYREJECTED (a signature
 * is missing or wrong), -EPROTO (no signing or no exchange key).
 */
MUST int adv_parse(struct ref text, const char *where, const struct log *log, struct adv *ret);

/* The key with this thumbprint (S256 or S1), or NULL. */
const struct jwk *adv_find(const struct adv *adv, const char *thumbprint);

/* The key to bind to: the first that may `deriveKey`; NULL where there is none. */
const struct jwk *adv_exchange_key(const struct adv *adv);

/* Whether one of the signing keys has this thumbprint (S256 or S1). */
bool adv_signed_by(const struct adv *adv, const char *thumbprint);

/* A new array with the S256 thumbprints of the signing keys; NULL out of memory. */
json_t *adv_thumbprints(const struct adv *adv);

/*
 * Whether the advertisement's text is signed by a key that need not be in it: how a server tells
 * those who know an old key of its new ones. Errors: -EKEYREJECTED (it is not), -EBADMSG, -E2BIG,
 * -ENOMEM.
 */
MUST int adv_vouched(struct ref text, const struct jwk *key);

/*
 * A new JWK set of the signing keys and this exchange key, each with the members that Clevis and
 * José look at and no others; NULL out of memory.
 */
json_t *adv_to_jwks(const struct adv *adv, const struct jwk *exchange_key);
