/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Published keys, and the few helpers that the tests of crypto/ share. Include after the room's header. */
#pragma once

#include "crypto/jwk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EC_MEMBERS(crv, x, y)    "\"kty\":\"EC\",\"crv\":\"" crv "\",\"x\":\"" x "\",\"y\":\"" y "\""
#define EC_PUBLIC(crv, x, y)     "{" EC_MEMBERS(crv, x, y) "}"
#define EC_PRIVATE(crv, x, y, d) "{" EC_MEMBERS(crv, x, y) ",\"d\":\"" d "\"}"

/* RFC 7515 appendix A.3: P-256 */
#define A3_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define A3_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define A3_D "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"

/* RFC 6979 appendix A.2.6: P-384 */
#define P384_X "7DpOQVtOGaRWhhgCn0J_pdqai8SukuAuBqrlKGswDGTe-PDqkFWGYGSiVFFUgLwT"
#define P384_Y "gBXZty19VyROqO-awMYhiWcIpZNn-d-59UyoSz8cnbEoiyMcOuDU_nNE_SUzJkcg"
#define P384_D "a509rS4bjBwFsZh1tmWfTeI8O2Z78pe6mqR3QHhxN9iW1XJOTHCoJfhyyepg0u31"

/* RFC 7515 appendix A.4: P-521 */
#define A4_X \
	"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk"
#define A4_Y \
	"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"
#define A4_D \
	"AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C"

/* RFC 7518 appendix C: Alice's ephemeral key, Bob's static key, their shared secret */
#define C_ALICE_X "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"
#define C_ALICE_Y "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"
#define C_ALICE_D "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"
#define C_BOB_X   "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ"
#define C_BOB_Y   "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"
#define C_BOB_D   "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"
#define C_Z       "nlbZHYFxNdNyg0KDv4QmnPsxbqPagGpI9tqneYz-kMQ"

/* Names the row of a table that failed, which assert_int_equal() cannot. */
static inline void expect(const char *what, int got, int want)
{
	if (got != want)
		fail_msg("%s: got %d, want %d", what, got, want);
}

/* For what a contract calls refused without saying by which of two errors. */
static inline void expect_refused(const char *what, int got)
{
	if (got != -EBADMSG && got != -EOPNOTSUPP && got != -EKEYREJECTED)
		fail_msg("%s: got %d, want a refusal", what, got);
}

/* Outputs are untouched on error: fill them with a pattern, and look for it afterwards. */
enum { UNTOUCHED = 0xa5 };

static inline void assert_untouched(const char *what, const void *output, size_t size)
{
	const uint8_t *bytes = output;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] != UNTOUCHED)
			fail_msg("%s: the output was written in spite of an error", what);
}

static inline json_t *json_of(const char *text)
{
	json_error_t error;
	json_t *value = json_loads(text, JSON_DECODE_ANY, &error);

	if (!value)
		fail_msg("the test's own JSON is wrong, %s: %s", error.text, text);
	return value;
}

/* Reads a key from memory of just its size, so that a read past the end is seen. */
static inline int read_exactly(struct ref text, struct jwk *ret)
{
	struct buf copy = {0};
	int r;

	assert_int_equal(buf_copy(&copy, text), 0);
	r = jwk_read(buf_ref(&copy), ret);
	buf_done(&copy);
	return r;
}

static inline struct jwk key_of(const char *text)
{
	struct jwk key = {0};

	expect(text, read_exactly(ref_str(text), &key), 0);
	return key;
}

static inline void assert_ref_is(struct ref got, const char *want)
{
	if (!ref_equal(got, ref_str(want)))
		fail_msg("got \"%.*s\", want \"%s\"", (int)got.n, (const char *)got.p, want);
}
