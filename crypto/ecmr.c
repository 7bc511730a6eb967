/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The McCallum-Relyea exchange. */
#include "crypto/ecmr.h"

#include "crypto/ec.h"

#include <errno.h>

static int store_result(const EC_GROUP *group, const EC_POINT *point, const struct curve *curve,
			struct jwk *ret)
{
	CLEANUP(jwk_done) struct jwk key = {.curve = curve};
	int r;

	r = ec_point_store(group, point, &key);
	if (r < 0)
		return r;

	jwk_move(&key, ret);
	return 0;
}

/* a + b, or a - b */
static int combine(const struct jwk *a, const struct jwk *b, bool subtract, struct jwk *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(EC_GROUP_freep) EC_GROUP *group = NULL;
	CLEANUP(EC_POINT_clear_freep) EC_POINT *pa = NULL;
	CLEANUP(EC_POINT_clear_freep) EC_POINT *pb = NULL;
	CLEANUP(BN_CTX_freep) BN_CTX *ctx = BN_CTX_secure_new();
	int r;

	if (!a->curve || a->curve != b->curve)
		return -EINVAL;
	group = ec_group(a->curve);
	if (!group || !ctx)
		return -ENOMEM;

	r = ec_point_load(group, a, &pa);
	if (r == 0)
		r = ec_point_load(group, b, &pb);
	if (r < 0)
		return r;
	if (subtract && EC_POINT_invert(group, pb, ctx) != 1)
		return -ENOMEM;
	if (EC_POINT_add(group, pa, pa, pb, ctx) != 1)
		return -ENOMEM;

	return store_result(group, pa, a->curve, ret);
}

int ecmr_add(const struct jwk *a, const struct jwk *b, struct jwk *ret)
{
	return combine(a, b, false, ret);
}

int ecmr_sub(const struct jwk *a, const struct jwk *b, struct jwk *ret)
{
	return combine(a, b, true, ret);
}

int ecmr_mul(const struct jwk *point, const struct jwk *priv, struct jwk *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(EC_GROUP_freep) EC_GROUP *group = NULL;
	CLEANUP(EC_POINT_clear_freep) EC_POINT *loaded = NULL;
	CLEANUP(EC_POINT_clear_freep) EC_POINT *product = NULL;
	int r;

	if (!point->curve || point->curve != priv->curve || !priv->has_private)
		return -EINVAL;
	group = ec_group(point->curve);
	if (!group)
		return -ENOMEM;

	r = ec_point_load(group, point, &loaded);
	if (r == 0)
		r = ec_multiply(group, loaded, priv, &product);
	if (r < 0)
		return r;

	return store_result(group, product, point->curve, ret);
}
