/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON Web Keys: their curves, making, writing and naming them. */
#include "crypto/jwk.h"

#include "crypto/b64.h"
#include "crypto/ec.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/obj_mac.h>
#include <openssl/rand.h>

static const struct curve curves[] = {
	{"P-256", "prime256v1", "ES256", "SHA256", NID_X9_62_prime256v1, 32},
	{"P-384", "secp384r1", "ES384", "SHA384", NID_secp384r1, 48},
	{"P-521", "secp521r1", "ES512", "SHA512", NID_secp521r1, 66},
};

const struct curve *curve_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (strcmp(curves[i].name, name) == 0)
			return &curves[i];
	return NULL;
}

void jwk_done(struct jwk *key)
{
	buf_done(&key->k);
	explicit_bzero(key, sizeof(*key));
}

void jwk_move(struct jwk *from, struct jwk *to)
{
	memcpy(to, from, sizeof(*to));
	explicit_bzero(from, sizeof(*from));
}

json_t *jwk_to_json(const struct jwk *key)
{
	size_t size = key->curve->size;

	return json_pack("{s:s, s:s, s:o, s:o}", "kty", "EC", "crv", key->curve->name, "x",
			 js_from_b64((struct ref){key->x, size}), "y",
			 js_from_b64((struct ref){key->y, size}));
}

int jwk_write_oct(struct ref key, struct buf *ret)
{
	static const char head[] = "{\"k\":\"", tail[] = "\",\"kty\":\"oct\"}";
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	if (key.n > JWK_OCT_MAX)
		return -E2BIG;

	r = buf_init(&text, strlen(head) + b64_encoded_len(key.n) + strlen(tail));
	if (r == 0)
		r = buf_append_str(&text, head);
	if (r == 0)
		r = b64_encode(key, &text);
	if (r == 0)
		r = buf_append_str(&text, tail);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(text);
	return 0;
}

static int random_scalar(const EC_GROUP *group, struct jwk *key)
{
	CLEANUP(BN_clear_freep) BIGNUM *d = BN_secure_new();

	if (!d)
		return -ENOMEM;

	do {
		if (BN_priv_rand_range(d, EC_GROUP_get0_order(group)) != 1)
			return -EIO;
	} while (BN_is_zero(d));

	return BN_bn2binpad(d, key->d, (int)key->curve->size) < 0 ? -EIO : 0;
}

int jwk_generate(const struct curve *curve, struct jwk *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(jwk_done) struct jwk key = {.curve = curve, .has_private = true};
	CLEANUP(EC_GROUP_freep) EC_GROUP *group = ec_group(curve);
	CLEANUP(EC_POINT_clear_freep) EC_POINT *point = NULL;
	int r;

	if (!group)
		return -ENOMEM;

	r = random_scalar(group, &key);
	if (r == 0)
		r = ec_multiply(group, NULL, &key, &point);
	if (r == 0)
		r = ec_point_store(group, point, &key);
	if (r < 0)
		return r;

	jwk_move(&key, ret);
	return 0;
}

int jwk_thumbprint(const struct jwk *key, const char *alg, char ret[JWK_THUMBPRINT_MAX + 1])
{
	const char *md = strcmp(alg, "S256") == 0 ? "SHA256"
			 : strcmp(alg, "S1") == 0 ? "SHA1"
						  : NULL;
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP_JSON json_t *json = NULL;
	CLEANUP_ERRORS;
	char *canonical = NULL;
	uint8_t digest[EVP_MAX_MD_SIZE];
	size_t len = 0;
	int r;

	if (!md || !key->curve)
		return -EOPNOTSUPP;

	/* The required members, sorted, without white space: just what js_dump() writes. */
	json = jwk_to_json(key);
	if (!json)
		return -ENOMEM;
	r = js_dump(json, &canonical);
	if (r < 0)
		return r;

	if (EVP_Q_digest(NULL, md, NULL, canonical, strlen(canonical), digest, &len) != 1)
		r = -ENOMEM;
	free(canonical);
	if (r == 0)
		r = buf_init(&text, JWK_THUMBPRINT_MAX);
	if (r == 0)
		r = b64_encode((struct ref){digest, len}, &text);
	if (r < 0)
		return r;

	memcpy(ret, text.p, text.n);
	ret[text.n] = '\0';
	return 0;
}

bool jwk_is_thumbprint(const char *text)
{
	CLEANUP(buf_done) struct buf digest = {0};

	return strlen(text) <= JWK_THUMBPRINT_MAX && b64_decode(ref_str(text), &digest) == 0 &&
	       (digest.n == 32 || digest.n == 20);
}

bool jwk_has_thumbprint(const struct jwk *key, const char *thumbprint)
{
	static const char *const algs[] = {"S256", "S1"};
	char own[JWK_THUMBPRINT_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
		if (jwk_thumbprint(key, algs[i], own) == 0 &&
		    ref_equal(ref_str(own), ref_str(thumbprint)))
			return true;
	return false;
}

bool jwk_allows(const struct jwk *key, enum jwk_op op)
{
	return (key->ops & op) != 0;
}
