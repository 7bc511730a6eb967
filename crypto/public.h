/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Public keys of cards and HSMs: RSA of 2048 to 4096 bits, and EC. */
#pragma once

#include "crypto/jwk.h"

enum { PUBLIC_RSA_MIN = 2048 / 8, PUBLIC_RSA_MAX = 4096 / 8 /* bytes of a modulus */ };

enum rsa_padding { RSA_PADDING_PKCS1, RSA_PADDING_OAEP_SHA1, RSA_PADDING_OAEP_SHA256 };

/* A zeroed struct is none. */
struct public_key {
	struct evp_pkey_st *pkey;
	struct jwk ec; /* curve NULL: RSA */
};

void public_key_done(struct public_key *key);

/*
 * From an RSA key's numbers, big-endian. Errors: -EOPNOTSUPP (another size), -ENOMEM.
 */
MUST int public_from_rsa(struct ref modulus, struct ref exponent, struct public_key *ret);

/*
 * From an EC key's parameters and point as PKCS #11 has them (CKA_EC_PARAMS and CKA_EC_POINT: DER, the
 * point also bare); from the DER of an X.509 certificate, of which nothing but the key is looked at.
 * Errors: -EBADMSG, -EOPNOTSUPP (another kind, size or curve), -ENOMEM.
 */
MUST int public_from_ec(struct ref params, struct ref point, struct public_key *ret);
MUST int public_from_certificate(struct ref der, struct public_key *ret);

/*
 * Encrypts by an RSA key to a new buffer. Errors: -EINVAL (an EC key), -E2BIG (more than the padding
 * leaves room for), -EIO, -ENOMEM.
 */
MUST int public_encrypt(const struct public_key *key, enum rsa_padding padding, struct ref text,
			struct buf *ret);
