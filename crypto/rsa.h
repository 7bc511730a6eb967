/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RSA public keys of 2048, 3072 or 4096 bits, which TPMs know, too. */
#pragma once

#include "crypto/buf.h"

enum {
	RSA_FINGERPRINT_SIZE = 32,
	RSA_TEXT_MAX = 8192,
	RSA_MODULUS_MIN = 2048 / 8,
	RSA_MODULUS_MAX = 4096 / 8,
};

/* A zeroed struct is none. */
struct rsa_public {
	struct buf der; /* the SubjectPublicKeyInfo */
	uint8_t modulus[RSA_MODULUS_MAX];
	size_t modulus_len; /* RSA_MODULUS_MIN to RSA_MODULUS_MAX */
	uint32_t exponent;
	uint8_t fingerprint[RSA_FINGERPRINT_SIZE]; /* systemd's: SHA-256 of the PKCS #1 form */
};

void rsa_public_done(struct rsa_public *key);

/*
 * Reads the PEM text of a public key ("BEGIN PUBLIC KEY"), or the DER of one. Errors: -EBADMSG (not
 * a public key), -EOPNOTSUPP (not RSA, or of another size), -E2BIG, -ENOMEM.
 */
MUST int rsa_from_pem(struct ref text, struct rsa_public *ret);
MUST int rsa_from_der(struct ref der, struct rsa_public *ret);

/* The PEM text in a new buffer. Errors: -ENOMEM. */
MUST int rsa_to_pem(const struct rsa_public *key, struct buf *ret);
