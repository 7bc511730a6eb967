/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON Web Signatures (RFC 7515): verification of the flattened and general JSON forms. */
#pragma once

#include "crypto/jwk.h"

enum { JWS_SIGNATURES_MAX = 32 };

/*
 * Decodes the payload to a new buffer; nothing is verified. Errors: -EBADMSG, -ENOMEM.
 */
MUST int jws_payload(const json_t *jws, struct buf *ret);

/*
 * Whether one of the signatures was made with this key: the algorithm in the protected header must
 * be the curve's (ES256, ES384, ES512). Signatures with `crit` or an unencoded payload are never
 * accepted. Errors: -EKEYREJECTED (none was), -EBADMSG (not a JWS), -E2BIG (too many signatures),
 * -ENOMEM.
 */
MUST int jws_verify(const json_t *jws, const struct jwk *key);
