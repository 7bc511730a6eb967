/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JWEs as text, from one serialization to the other. Nothing in them is looked at: they may be of pins that only
 * another program understands.
 */
#pragma once

#include "crypto/js.h"

/* A new flattened object, with the members that José writes. Errors: -EBADMSG (no five parts), -ENOMEM. */
MUST int jwe_text_to_json(const char *compact, json_t **ret);

/*
 * The compact form of an object or, as that may stand in a token too, of a string. The caller frees *ret.
 * Errors: -EBADMSG, -ENOMEM.
 */
MUST int jwe_text_to_compact(const json_t *jwe, char **ret);

/* The protected header of a compact JWE as a new object. Errors: -EBADMSG, -E2BIG, -ENOMEM. */
MUST int jwe_text_header(const char *compact, json_t **ret);
