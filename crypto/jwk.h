/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON Web Keys (RFC 7517): EC keys of three curves and symmetric ("oct") keys. */
#pragma once

#include "crypto/js.h"

enum {
	EC_COORD_MAX = 66,       /* bytes of a P-521 coordinate */
	JWK_THUMBPRINT_MAX = 43, /* characters of base64url of SHA-256 */
	JWK_TEXT_MAX = 4096,     /* bytes of one JWK that jwk_read() looks at */
	JWK_OCT_MAX = 1024,      /* bytes of a symmetric key */
};

/* An elliptic curve of RFC 7518 section 6.2.1.1 and the signature algorithm that goes with it. */
struct curve {
	const char *name;    /* "P-256" */
	const char *group;   /* OpenSSL's name of the group */
	const char *jws_alg; /* "ES256" (RFC 7518 section 3.4) */
	const char *digest;  /* of that signature */
	int nid;
	size_t size; /* bytes of a coordinate and of a private key */
};

/* The curve called `name`, or NULL. */
const struct curve *curve_by_name(const char *name);

/* key_ops values (RFC 7517 section 4.3) that cotter acts on; all others are JWK_OP_OTHER. */
enum jwk_op {
	JWK_OP_SIGN = 1 << 0,
	JWK_OP_VERIFY = 1 << 1,
	JWK_OP_DERIVE_KEY = 1 << 2,
	JWK_OP_OTHER = 1 << 3,
};

/*
 * One key. An EC key (curve set) has x and y, big-endian, curve->size bytes each, and d where
 * has_private is true. A symmetric key (curve NULL) has k. Every EC key made by the functions below
 * is on its curve. End it with jwk_done(), which wipes it.
 */
struct jwk {
	const struct curve *curve;
	uint8_t x[EC_COORD_MAX];
	uint8_t y[EC_COORD_MAX];
	uint8_t d[EC_COORD_MAX];
	bool has_private;
	struct buf k;
	unsigned ops; /* enum jwk_op bits; 0 where the JWK has neither key_ops nor use */
};

void jwk_done(struct jwk *key);

/* Hands the key over and wipes what it leaves behind. */
void jwk_move(struct jwk *from, struct jwk *to);

/*
 * Reads a public EC key; a private part is ignored. The point must be on the curve (and so, being
 * affine, is not at infinity). Errors: -EOPNOTSUPP (other kty or curve), -EBADMSG, -ENOMEM.
 */
MUST int jwk_from_json(const json_t *json, struct jwk *ret);

/*
 * The operations that a JWK of any kind names, as in struct jwk. Errors: -EBADMSG.
 */
MUST int jwk_json_ops(const json_t *json, unsigned *ret);

/*
 * Reads any supported key from its JSON text without passing it through jansson, for keys with
 * secret parts. EC: a private value, where there is one, must be of full length and belong to the
 * public point. Errors: -EOPNOTSUPP (other kty or curve), -EBADMSG, -E2BIG, -ENOMEM.
 */
MUST int jwk_read(struct ref text, struct jwk *ret);

/*
 * Writes {"k":…,"kty":"oct"}, the form in which Clevis seals secrets for its tpm2 pin, to a new
 * buffer. Errors: -E2BIG, -ENOMEM.
 */
MUST int jwk_write_oct(struct ref key, struct buf *ret);

/*
 * Reads such a text, by jwk_read(), to a new buffer. Errors: -EBADMSG (also for another kind of key, or one
 * that has not `n` bytes), -ENOMEM.
 */
MUST int jwk_read_oct(struct ref text, size_t n, struct buf *ret);

/* Makes a fresh EC key pair. Errors: -ENOMEM, -EIO (random generator). */
MUST int jwk_generate(const struct curve *curve, struct jwk *ret);

/* A new object with the public members crv, kty, x and y alone; NULL out of memory. */
json_t *jwk_to_json(const struct jwk *key);

/*
 * RFC 7638 thumbprint as base64url: alg "S256" (SHA-256) or "S1" (SHA-1, for reading old
 * bindings). EC keys alone. Errors: -EOPNOTSUPP, -ENOMEM.
 */
MUST int jwk_thumbprint(const struct jwk *key, const char *alg, char ret[JWK_THUMBPRINT_MAX + 1]);

/* Whether `text` has the form of an S256 or S1 thumbprint; it is then safe in a URL. */
bool jwk_is_thumbprint(const char *text);

/* Whether `thumbprint` is the key's, by S256 or S1. */
bool jwk_has_thumbprint(const struct jwk *key, const char *thumbprint);

/* Whether key_ops (or use) names this operation; a key that names none is allowed none. */
bool jwk_allows(const struct jwk *key, enum jwk_op op);
