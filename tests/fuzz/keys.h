/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Published keys for fuzzers that need one. */
#pragma once

#include "tests/fuzz/fuzz.h"
#include "tests/unit/vectors/jose.h"

#define FUZZ_SIGNING_KEY  EC_PRIVATE("P-521", A4_X, A4_Y, A4_D)
#define FUZZ_EXCHANGE_KEY EC_PRIVATE("P-256", C_BOB_X, C_BOB_Y, C_BOB_D)

static inline void fuzz_key(const char *text, struct jwk *ret)
{
	CHECK(jwk_read(ref_str(text), ret) == 0);
}
