/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON Web Signatures (RFC 7515): making them. */
#pragma once

#include "crypto/jwk.h"

/* What one key says of a payload; both parts are base64url text. End it with jws_signature_done(). */
struct jws_signature {
	struct buf protected; /* of {"alg":…,"cty":…} */
	struct buf signature;
};

void jws_signature_done(struct jws_signature *signature);

/*
 * Signs a payload, given as base64url text, by the algorithm of the key's curve. Errors: -EINVAL (no
 * private part), -ENOMEM.
 */
MUST int jws_sign(struct ref payload, const char *cty, const struct jwk *key,
		  struct jws_signature *ret);

/*
 * Writes a JWS with its `n` signatures to a new buffer, as José does: flattened where there is one,
 * general else. Errors: -ENOMEM.
 */
MUST int jws_write(struct ref payload, const struct jws_signature *const *signatures, size_t n,
		   struct buf *ret);
