/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a client may ask, and the answer's form. */
#include "tang/server/request.h"

#include "crypto/buf.h"
#include "tests/unit/vectors/jose.h"

#define POINT EC_MEMBERS("P-256", A3_X, A3_Y)

static int parse(const char *text, size_t n, struct jwk *ret)
{
	CLEANUP(buf_done) struct buf copy = {0};

	assert_int_equal(buf_copy(&copy, (struct ref){(const uint8_t *)text, n}), 0);
	return request_parse(buf_ref(&copy), ret);
}

static void test_good(void **state)
{
	static const char *const good[] = {
		"{" POINT "}",
		"{" POINT ",\"alg\":\"ECMR\",\"key_ops\":[\"deriveKey\"]}",
		" { \"other\" : [ 1 ] , " POINT " } \r\n",
		"{" POINT ",\"d\":\"" A3_D "\"}", /* which nobody needs to tell us */
		"{" POINT ",\"d\":1}",
	};
	struct jwk want = key_of(EC_PUBLIC("P-256", A3_X, A3_Y));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct jwk got = {0};

		expect(good[i], parse(good[i], strlen(good[i]), &got), 0);
		assert_memory_equal(got.x, want.x, sizeof(got.x));
		assert_memory_equal(got.y, want.y, sizeof(got.y));
		assert_ptr_equal(got.curve, want.curve);
		assert_false(got.has_private);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{"", -EBADMSG},
		{"{}", -EBADMSG},
		{"[]", -EBADMSG},
		{"\"x\"", -EBADMSG},
		{"{" POINT "}x", -EBADMSG},
		{"{" POINT ",\"key_ops\":[\"sign\"]}", -EKEYREJECTED},
		{"{" POINT ",\"key_ops\":[]}", -EKEYREJECTED},
		{"{" POINT ",\"use\":\"sig\"}", -EKEYREJECTED},
		{"{\"use\":\"sig\"}", -EKEYREJECTED}, /* Tang looks at that first */
		{"{" POINT ",\"alg\":\"ECDH-ES\"}", -EBADMSG},
		{"{" POINT ",\"alg\":null}", -EBADMSG},
		{"{\"kty\":\"oct\",\"k\":\"AAAA\"}", -EBADMSG},
		{"{\"kty\":1}", -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct jwk got;

		memset(&got, UNTOUCHED, sizeof(got));
		expect(cases[i].text, parse(cases[i].text, strlen(cases[i].text), &got),
		       cases[i].want);
		assert_untouched(cases[i].text, &got, sizeof(got));
	}
}

/* Points that no key takes. */
static void test_no_point(void **state)
{
	static const char *const cases[] = {
		"{\"kty\":\"EC\"}",
		EC_PUBLIC("secp256k1", A3_X, A3_Y),
		EC_PUBLIC("P-521", A3_X, A3_Y),
		EC_PUBLIC("P-256", "", ""),
		EC_PUBLIC("P-256", A3_X, A3_X "A"),
		EC_PUBLIC("P-256", A3_X "=", A3_Y),
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_X "\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":1,\"y\":2}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct jwk got = key_of(EC_PUBLIC("P-256", A3_X, A3_Y));

		expect(cases[i], parse(cases[i], strlen(cases[i]), &got), 0);
		assert_null(got.curve);
	}
}

/* Each beginning of a good one. */
static void test_truncated(void **state)
{
	static const char whole[] = "{" POINT ",\"alg\":\"ECMR\",\"key_ops\":[\"deriveKey\"]}";

	(void)state;
	for (size_t n = 0; n < strlen(whole); n++) {
		struct jwk got = {0};

		assert_int_equal(parse(whole, n, &got), -EBADMSG);
	}
}

static void test_large(void **state)
{
	static char text[JWK_TEXT_MAX + 1] = "{" POINT "}";
	struct jwk got = {0};

	(void)state;
	memset(text + strlen(text), ' ', sizeof(text) - strlen(text));
	assert_int_equal(parse(text, JWK_TEXT_MAX, &got), 0);
	assert_int_equal(parse(text, JWK_TEXT_MAX + 1, &got), -E2BIG);
	memset(text, '[', sizeof(text));
	assert_int_equal(parse(text, JWK_TEXT_MAX, &got), -E2BIG);
}

/* As Tang sorts it; no reader need look at what it does not know. */
static void test_reply(void **state)
{
	static const char *const keys[] = {
		EC_PUBLIC("P-256", A3_X, A3_Y),
		EC_PUBLIC("P-384", P384_X, P384_Y),
		EC_PUBLIC("P-521", A4_X, A4_Y),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct jwk point = key_of(keys[i]), got = {0};
		CLEANUP_JSON json_t *json = jwk_to_json(&point);
		CLEANUP(buf_done) struct buf reply = {0};
		CLEANUP(free_text) char *text = NULL;

		assert_int_equal(json_object_set_new(json, "alg", json_string("ECMR")), 0);
		assert_int_equal(
			json_object_set_new(json, "key_ops", json_pack("[s]", "deriveKey")), 0);
		assert_int_equal(js_dump(json, &text), 0);
		assert_int_equal(request_reply(&point, &reply), 0);
		assert_ref_is(buf_ref(&reply), text);
		assert_int_equal(request_parse(buf_ref(&reply), &got), 0);
		assert_memory_equal(&got, &point, sizeof(got));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),     cmocka_unit_test(test_bad),
		cmocka_unit_test(test_no_point), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_large),    cmocka_unit_test(test_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
