/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a JWK may be used for, as Tang and José read it, which is not as strictly as our client does. */
#pragma once

#include "crypto/js.h"

/* Whether a JWK that names no use at all may be used so. */
enum use_none { USE_NONE_ALLOWS, USE_NONE_REFUSES };

/*
 * Whether key_ops has `op`, or `use` is "sig" and op is one of a signature. Where `use` is no string, it
 * allows nothing.
 */
bool use_allows(const json_t *json, const char *op, enum use_none none);

/* Removes from key_ops those that take the private part, as a public key has them. */
void use_make_public(json_t *json);
