/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verification of JWSs, by keys of each curve; what is signed here is accepted, and by its key alone. */
#include "crypto/jws.h"

#include "crypto/b64.h"
#include "crypto/jws-sign.h"
#include "tests/fuzz/keys.h"

static const char *const texts[] = {
	EC_PRIVATE("P-256", A3_X, A3_Y, A3_D),
	EC_PRIVATE("P-384", P384_X, P384_Y, P384_D),
	EC_PRIVATE("P-521", A4_X, A4_Y, A4_D),
};

static struct jwk keys[ARRAY_SIZE(texts)];

static void verify(const json_t *jws)
{
	CLEANUP(buf_done) struct buf payload = {0};
	int r = jws_payload(jws, &payload);

	CHECK_RESULT(r, -EBADMSG);
	CHECK((r == 0) == (payload.p != NULL));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		CHECK_RESULT(jws_verify(jws, &keys[i]), -EKEYREJECTED, -EBADMSG, -E2BIG);
}

/* The input as a payload. */
static void sign(struct ref input, const struct jwk *key, const struct jwk *other)
{
	CLEANUP(jws_signature_done) struct jws_signature signature = {0};
	const struct jws_signature *signatures[] = {&signature};
	CLEANUP(buf_done) struct buf payload = {0};
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(buf_done) struct buf back = {0};
	CLEANUP_JSON json_t *jws = NULL;

	CHECK(buf_init(&payload, b64_encoded_len(input.n)) == 0);
	CHECK(b64_encode(input, &payload) == 0);
	CHECK(jws_sign(buf_ref(&payload), "jwk-set+json", key, &signature) == 0);
	CHECK(jws_write(buf_ref(&payload), signatures, 1, &text) == 0);
	CHECK(js_load(buf_ref(&text), &jws) == 0);
	CHECK(jws_verify(jws, key) == 0 && jws_verify(jws, other) == -EKEYREJECTED);
	CHECK(jws_payload(jws, &back) == 0 && ref_equal(buf_ref(&back), input));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP_JSON json_t *jws = NULL;

	if (!keys[0].curve)
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			fuzz_key(texts[i], &keys[i]);
	if (js_load((struct ref){data, n}, &jws) == 0)
		verify(jws);
	else if (n < 64)
		sign((struct ref){data, n}, &keys[n % 3], &keys[(n + 1) % 3]);
	return 0;
}
