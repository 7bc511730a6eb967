/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JWKs as OpenSSL's points. */
#include "crypto/ec.h"

#include <errno.h>

enum { UNCOMPRESSED = 0x04, OCTETS_MAX = 1 + 2 * EC_COORD_MAX };

EC_GROUP *ec_group(const struct curve *curve)
{
	return EC_GROUP_new_by_curve_name(curve->nid);
}

/* By way of the octet form, whose reader (unlike set_affine) also refuses coordinates >= p. */
int ec_point_load(const EC_GROUP *group, const struct jwk *key, EC_POINT **ret)
{
	CLEANUP(EC_POINT_clear_freep) EC_POINT *point = EC_POINT_new(group);
	size_t size = key->curve->size;
	uint8_t octets[OCTETS_MAX];
	int ok;

	if (!point)
		return -ENOMEM;

	octets[0] = UNCOMPRESSED;
	memcpy(octets + 1, key->x, size);
	memcpy(octets + 1 + size, key->y, size);
	ok = EC_POINT_oct2point(group, point, octets, 1 + 2 * size, NULL);
	explicit_bzero(octets, sizeof(octets));
	if (ok != 1)
		return -EBADMSG;

	*ret = TAKE_PTR(point);
	return 0;
}

int ec_point_store(const EC_GROUP *group, const EC_POINT *point, struct jwk *key)
{
	size_t size = key->curve->size, len;
	uint8_t octets[OCTETS_MAX];

	if (EC_POINT_is_at_infinity(group, point))
		return -EBADMSG;

	len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, octets,
				 sizeof(octets), NULL);
	if (len == 1 + 2 * size) {
		memcpy(key->x, octets + 1, size);
		memcpy(key->y, octets + 1 + size, size);
	}
	explicit_bzero(octets, sizeof(octets));
	return len == 1 + 2 * size ? 0 : -ENOMEM;
}

int ec_multiply(const EC_GROUP *group, const EC_POINT *point, const struct jwk *priv,
		EC_POINT **ret)
{
	CLEANUP(EC_POINT_clear_freep) EC_POINT *product = EC_POINT_new(group);
	CLEANUP(BN_CTX_freep) BN_CTX *ctx = BN_CTX_secure_new();
	CLEANUP(BN_clear_freep) BIGNUM *d = BN_secure_new();
	int ok;

	if (!product || !ctx || !d || !BN_bin2bn(priv->d, (int)priv->curve->size, d))
		return -ENOMEM;

	BN_set_flags(d, BN_FLG_CONSTTIME);
	/* A single scalar takes OpenSSL's constant-time ladder or the curve's own fixed-time code. */
	ok = point ? EC_POINT_mul(group, product, NULL, point, d, ctx)
		   : EC_POINT_mul(group, product, d, NULL, NULL, ctx);
	if (ok != 1)
		return -ENOMEM;

	*ret = TAKE_PTR(product);
	return 0;
}
