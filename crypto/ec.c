/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JWKs as OpenSSL's points. */
#include "crypto/ec.h"

#include <errno.h>

#include <openssl/core_names.h>

DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)

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

/* OpenSSL takes numbers in the machine's order of bytes. */
static int native_number(const uint8_t *bytes, size_t size, uint8_t *ret)
{
	CLEANUP(BN_clear_freep) BIGNUM *number = BN_secure_new();

	if (!number || !BN_bin2bn(bytes, (int)size, number) ||
	    BN_bn2nativepad(number, ret, (int)size) < 0)
		return -ENOMEM;
	return 0;
}

int ec_pkey(const struct jwk *key, bool private, EVP_PKEY **ret)
{
	CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL;
	uint8_t octets[OCTETS_MAX] = {UNCOMPRESSED}, d[EC_COORD_MAX];
	size_t size = key->curve->size;
	char group[16] = {0};
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group,
				       strlen(key->curve->group)),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets, 1 + 2 * size),
		private ? (OSSL_PARAM)OSSL_PARAM_BN(OSSL_PKEY_PARAM_PRIV_KEY, d, size)
			: (OSSL_PARAM)OSSL_PARAM_END,
		OSSL_PARAM_END,
	};
	int r;

	memcpy(group, key->curve->group, strlen(key->curve->group));
	memcpy(octets + 1, key->x, size);
	memcpy(octets + 1 + size, key->y, size);

	r = private ? native_number(key->d, size, d) : 0;
	if (r == 0) {
		ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
		if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
		    EVP_PKEY_fromdata(ctx, ret, private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
				      params) != 1)
			r = -ENOMEM;
	}
	explicit_bzero(d, sizeof(d));
	return r;
}
