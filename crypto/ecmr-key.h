/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server's exchange key, made ready once for many multiplications. It does not change after it was
 * made, so threads may share it.
 */
#pragma once

#include "crypto/jwk.h"

struct ecmr_key;

/* The caller owns *ret. Errors: -EINVAL (no private part), -ENOMEM. */
MUST int ecmr_key_new(const struct jwk *priv, struct ecmr_key **ret);

/* Wipes and frees. */
void ecmr_key_free(struct ecmr_key *key);

/*
 * As ecmr_mul(), with a point that nobody has checked yet. Errors: -EBADMSG (another curve, not on the
 * curve, infinity), -ENOMEM.
 */
MUST int ecmr_key_mul(const struct ecmr_key *key, const struct jwk *point, struct jwk *ret);

DEFINE_CLEANUP(struct ecmr_key *, ecmr_key_free)
