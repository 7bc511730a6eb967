/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A server's exchange key. */
#include "crypto/ecmr-key.h"

#include "crypto/ec.h"

#include <errno.h>

struct ecmr_key {
	const struct curve *curve;
	EC_GROUP *group;
	BIGNUM *d;
};

void ecmr_key_free(struct ecmr_key *key)
{
	BN_clear_free(key->d);
	EC_GROUP_free(key->group);
	free(key);
}

int ecmr_key_new(const struct jwk *priv, struct ecmr_key **ret)
{
	CLEANUP_ERRORS;
	CLEANUP(ecmr_key_freep) struct ecmr_key *key = NULL;

	if (!priv->curve || !priv->has_private)
		return -EINVAL;

	key = calloc(1, sizeof(*key));
	if (!key)
		return -ENOMEM;
	key->curve = priv->curve;
	key->group = ec_group(priv->curve);
	key->d = BN_secure_new();
	if (!key->group || !key->d || !BN_bin2bn(priv->d, (int)priv->curve->size, key->d))
		return -ENOMEM;
	BN_set_flags(key->d, BN_FLG_CONSTTIME);

	*ret = TAKE_PTR(key);
	return 0;
}

int ecmr_key_mul(const struct ecmr_key *key, const struct jwk *point, struct jwk *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(EC_POINT_clear_freep) EC_POINT *loaded = NULL;
	CLEANUP(EC_POINT_clear_freep) EC_POINT *product = NULL;
	CLEANUP(BN_CTX_freep) BN_CTX *ctx = NULL;
	struct jwk answer = {.curve = key->curve};
	int r;

	if (point->curve != key->curve)
		return -EBADMSG;

	r = ec_point_load(key->group, point, &loaded);
	if (r < 0)
		return r;

	product = EC_POINT_new(key->group);
	ctx = BN_CTX_secure_new();
	/* A single scalar takes OpenSSL's constant-time ladder or the curve's own fixed-time code. */
	if (!product || !ctx || EC_POINT_mul(key->group, product, NULL, loaded, key->d, ctx) != 1)
		return -ENOMEM;

	r = ec_point_store(key->group, product, &answer);
	if (r < 0)
		return r;

	jwk_move(&answer, ret);
	return 0;
}
