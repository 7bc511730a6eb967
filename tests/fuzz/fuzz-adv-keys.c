/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JWK set in an advertisement, signed here, since no fuzzer can do that: by one key, or two. */
#include "tang/adv.h"

#include "crypto/b64.h"
#include "crypto/jws-sign.h"
#include "tests/fuzz/keys.h"

static struct jwk keys[2];

static void sign(struct ref jwks, struct buf *ret)
{
	struct jws_signature signatures[ARRAY_SIZE(keys)] = {0};
	const struct jws_signature *list[] = {&signatures[0], &signatures[1]};
	CLEANUP(buf_done) struct buf payload = {0};

	CHECK(buf_init(&payload, b64_encoded_len(jwks.n)) == 0);
	CHECK(b64_encode(jwks, &payload) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		CHECK(jws_sign(buf_ref(&payload), "jwk-set+json", &keys[i], &signatures[i]) == 0);
	CHECK(jws_write(buf_ref(&payload), list, ARRAY_SIZE(list), ret) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		jws_signature_done(&signatures[i]);
}

static bool is_ours(const struct jwk *key)
{
	char thumbprint[JWK_THUMBPRINT_MAX + 1];

	CHECK(jwk_thumbprint(key, "S256", thumbprint) == 0);
	return jwk_has_thumbprint(&keys[0], thumbprint) || jwk_has_thumbprint(&keys[1], thumbprint);
}

static void advertise(struct ref jwks)
{
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(adv_done) struct adv adv = {0};
	int r;

	sign(jwks, &text);
	r = adv_parse(buf_ref(&text), "fuzz", &fuzz_log, &adv);
	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG, -EKEYREJECTED, -EPROTO);
	if (r < 0)
		return;
	CHECK(adv_exchange_key(&adv));
	for (size_t i = 0; i < adv.n_keys; i++)
		if (jwk_allows(&adv.keys[i], JWK_OP_VERIFY))
			CHECK(is_ours(&adv.keys[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP_JSON json_t *jwks = NULL;
	struct adv adv;
	int r;

	if (!keys[0].curve) {
		fuzz_key(EC_PRIVATE("P-521", A4_X, A4_Y, A4_D), &keys[0]);
		fuzz_key(EC_PRIVATE("P-256", A3_X, A3_Y, A3_D), &keys[1]);
	}
	if (js_load((struct ref){data, n}, &jwks) < 0)
		return 0;
	FUZZ_MARK(adv);
	r = adv_from_jwks(jwks, "fuzz", &fuzz_log, &adv);
	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(adv));
		return 0;
	}
	CHECK(adv.n_keys <= ADV_KEYS_MAX);
	adv_done(&adv);
	advertise((struct ref){data, n});
	return 0;
}
