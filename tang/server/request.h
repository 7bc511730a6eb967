/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a client asks of a Tang server, and the form of the answer. */
#pragma once

#include "crypto/jwk.h"

/*
 * Reads the client's JWK. Whether the point is on its curve is not looked at; where the curve is not known or
 * the coordinates are none, ret->curve is NULL, so that no key takes it: as in Tang, a key that is not
 * there is found out before that. A private part is ignored. Errors: -EBADMSG (no EC key for
 * ECMR), -EKEYREJECTED (its use does not allow that keys are derived), -E2BIG, -ENOMEM.
 */
MUST int request_parse(struct ref text, struct jwk *ret);

/* The answer's JWK as a new buffer, in the form in which Tang writes it. Errors: -ENOMEM. */
MUST int request_reply(const struct jwk *point, struct buf *ret);
