/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JWKs: the reader for secret keys and the one for public keys agree, and what is written is read again. */
#include "crypto/jwk.h"

#include "tests/fuzz/fuzz.h"

static void check_public(const struct jwk *key)
{
	CLEANUP_JSON json_t *json = jwk_to_json(key);
	CLEANUP(jwk_done) struct jwk again = {0};
	char s256[JWK_THUMBPRINT_MAX + 1], s1[JWK_THUMBPRINT_MAX + 1];

	CHECK(json && jwk_from_json(json, &again) == 0);
	CHECK(again.curve == key->curve && !again.has_private);
	CHECK(memcmp(again.x, key->x, sizeof(key->x)) == 0);
	CHECK(memcmp(again.y, key->y, sizeof(key->y)) == 0);

	CHECK(jwk_thumbprint(key, "S256", s256) == 0 && jwk_thumbprint(key, "S1", s1) == 0);
	CHECK(jwk_is_thumbprint(s256) && jwk_is_thumbprint(s1));
	CHECK(jwk_has_thumbprint(&again, s256) && jwk_has_thumbprint(&again, s1));
}

static void check_oct(const struct jwk *key)
{
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(jwk_done) struct jwk again = {0};

	CHECK(key->k.n <= JWK_OCT_MAX);
	CHECK(jwk_write_oct(buf_ref(&key->k), &text) == 0);
	CHECK(jwk_read(buf_ref(&text), &again) == 0);
	CHECK(!again.curve && ref_equal(buf_ref(&again.k), buf_ref(&key->k)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP_JSON json_t *json = NULL;
	struct jwk secret, public;
	unsigned ops = FUZZ_MARK;
	int r, r_json;

	FUZZ_MARK(secret);
	FUZZ_MARK(public);
	r = jwk_read((struct ref){data, n}, &secret);
	CHECK_RESULT(r, -EOPNOTSUPP, -EBADMSG, -E2BIG);
	if (r == 0 && secret.curve)
		check_public(&secret);
	else if (r == 0)
		check_oct(&secret);
	else
		CHECK(FUZZ_IS_MARK(secret));

	r_json = js_load((struct ref){data, n}, &json);
	if (r_json == 0) {
		CHECK_RESULT(jwk_json_ops(json, &ops), -EBADMSG);
		r_json = jwk_from_json(json, &public);
		CHECK_RESULT(r_json, -EOPNOTSUPP, -EBADMSG);
	}
	if (r_json < 0) {
		CHECK(FUZZ_IS_MARK(public));
	} else {
		check_public(&public);
		CHECK(public.ops == ops && !public.has_private);
	}
	if (r == 0 && r_json == 0)
		CHECK(secret.curve == public.curve && secret.ops == public.ops &&
		      memcmp(secret.x, public.x, sizeof(public.x)) == 0 &&
		      memcmp(secret.y, public.y, sizeof(public.y)) == 0);
	if (r == 0)
		jwk_done(&secret);
	if (r_json == 0)
		jwk_done(&public);
	return 0;
}
