/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JWKs as OpenSSL's points and keys: the one bridge between the two. */
#pragma once

#include "crypto/jwk.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

DEFINE_CLEANUP(BIGNUM *, BN_clear_free)
DEFINE_CLEANUP(BN_CTX *, BN_CTX_free)
DEFINE_CLEANUP(EC_GROUP *, EC_GROUP_free)
DEFINE_CLEANUP(EC_POINT *, EC_POINT_clear_free)
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)

/* Leaves the host's OpenSSL error queue as it was found: in an empty one no mark can be set. */
#define CLEANUP_ERRORS \
	__attribute__((cleanup(ec_errors_restore), unused)) int errors_marked = ERR_set_mark()

static inline void ec_errors_restore(const int *marked)
{
	if (*marked == 1)
		ERR_pop_to_mark();
	else
		ERR_clear_error();
}

/* A new group; NULL out of memory. */
EC_GROUP *ec_group(const struct curve *curve);

/*
 * A new point from coordinates of curve->size bytes. Errors: -EBADMSG (not on the curve), -ENOMEM.
 */
MUST int ec_point_load(const EC_GROUP *group, const struct jwk *key, EC_POINT **ret);

/* Stores a point's coordinates. Errors: -EBADMSG (at infinity), -ENOMEM. */
MUST int ec_point_store(const EC_GROUP *group, const EC_POINT *point, struct jwk *key);

/*
 * priv.d times `point`, or times the generator where `point` is NULL; in constant time. The caller
 * owns *ret. Errors: -ENOMEM.
 */
MUST int ec_multiply(const EC_GROUP *group, const EC_POINT *point, const struct jwk *priv,
		     EC_POINT **ret);

/*
 * A new key of OpenSSL's for signatures, with its private part or without. The caller owns *ret. Errors: -ENOMEM,
 * also where it is no key.
 */
MUST int ec_pkey(const struct jwk *key, bool private, EVP_PKEY **ret);
