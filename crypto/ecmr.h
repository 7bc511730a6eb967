/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The McCallum-Relyea exchange: Diffie-Hellman on points that are blinded and unblinded by adding
 * and subtracting points. With server key s, exchange key S = sG, ephemeral E = eG kept in the JWE
 * and shared secret Z = eS:
 *
 *   client: picks t, sends X = E + tG     server: answers Y = sX     client: Z = Y - tS
 *
 * All points of one call must be of one curve. Results have no key_ops and no private part. Each
 * function refuses a result at infinity. `ret` may not be one of the arguments.
 * Errors of all three: -EINVAL (curves differ, no private part), -EBADMSG (infinity), -ENOMEM.
 */
#pragma once

#include "crypto/jwk.h"

MUST int ecmr_add(const struct jwk *a, const struct jwk *b, struct jwk *ret);
MUST int ecmr_sub(const struct jwk *a, const struct jwk *b, struct jwk *ret);

/* point * priv.d: also plain ECDH, whose shared secret is the result's x. */
MUST int ecmr_mul(const struct jwk *point, const struct jwk *priv, struct jwk *ret);
