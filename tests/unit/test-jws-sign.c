/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signing: what we sign verifies, and has the form that José gives it. */
#include "crypto/jws-sign.h"

#include "crypto/b64.h"
#include "crypto/jws.h"
#include "tests/unit/vectors/jose.h"

static const char *const keys[] = {
	EC_PRIVATE("P-256", A3_X, A3_Y, A3_D),
	EC_PRIVATE("P-384", P384_X, P384_Y, P384_D),
	EC_PRIVATE("P-521", A4_X, A4_Y, A4_D),
};

static const char *const headers[] = {
	"{\"alg\":\"ES256\",\"cty\":\"jwk-set+json\"}",
	"{\"alg\":\"ES384\",\"cty\":\"jwk-set+json\"}",
	"{\"alg\":\"ES512\",\"cty\":\"jwk-set+json\"}",
};

static struct jws_signature signed_by(const char *text)
{
	struct jwk key = key_of(text);
	struct jws_signature signature = {0};

	assert_int_equal(jws_sign(ref_str("cGF5"), "jwk-set+json", &key, &signature), 0);
	jwk_done(&key);
	return signature;
}

static json_t *written(const struct jws_signature *const *signatures, size_t n, char **ret_text)
{
	struct buf text = {0};
	json_t *json = NULL;

	assert_int_equal(jws_write(ref_str("cGF5"), signatures, n, &text), 0);
	assert_int_equal(js_load(buf_ref(&text), &json), 0);
	*ret_text = strndup((const char *)text.p, text.n);
	buf_done(&text);
	return json;
}

/* Many times: r or s has leading zeros in one of 256. */
static void test_each_curve(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct jwk key = key_of(keys[i]);

		for (int n = 0; n < (key.curve->size == 32 ? 600 : 10); n++) {
			struct jws_signature signature = signed_by(keys[i]);
			const struct jws_signature *const one = &signature;
			CLEANUP(free_text) char *text = NULL;
			CLEANUP(buf_done) struct buf header = {0};
			CLEANUP_JSON json_t *jws = written(&one, 1, &text);

			assert_int_equal(jws_verify(jws, &key), 0);
			assert_int_equal(b64_decode(buf_ref(&signature.protected), &header), 0);
			assert_ref_is(buf_ref(&header), headers[i]);
			assert_int_equal(signature.signature.n,
					 b64_encoded_len(2 * key.curve->size));
			jws_signature_done(&signature);
		}
		jwk_done(&key);
	}
}

static void assert_form(const char *text, const char *const parts[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *found = strstr(text, parts[i]);

		if (!found)
			fail_msg("%s is not in %s", parts[i], text);
		text = found + strlen(parts[i]);
	}
	assert_string_equal(text, "");
}

/* The members in the order and with the spaces of jansson's text of a JSON object that José made. */
static void test_forms(void **state)
{
	static const char *const flattened[] = {"{\"payload\": \"cGF5\", \"protected\": \"",
						"\", \"signature\": \"", "\"}"};
	static const char *const general[] = {
		"{\"payload\": \"cGF5\", \"signatures\": [{\"protected\": \"",
		"\", \"signature\": \"",
		"\"}, {\"protected\": \"",
		"\", \"signature\": \"",
		"\"}]}",
	};
	struct jws_signature a = signed_by(keys[0]), b = signed_by(keys[2]);
	const struct jws_signature *const both[] = {&a, &b};

	(void)state;
	for (size_t n = 1; n <= 2; n++) {
		CLEANUP(free_text) char *text = NULL;
		CLEANUP_JSON json_t *jws = written(both, n, &text);

		assert_form(text, n == 1 ? flattened : general, n == 1 ? 3 : 5);
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			struct jwk key = key_of(keys[i]);

			expect(keys[i], jws_verify(jws, &key),
			       i == 0 || (i == 2 && n == 2) ? 0 : -EKEYREJECTED);
			jwk_done(&key);
		}
	}
	jws_signature_done(&a);
	jws_signature_done(&b);
}

static void test_callers_bugs(void **state)
{
	struct jwk public = key_of(EC_PUBLIC("P-256", A3_X, A3_Y));
	struct jwk oct = key_of("{\"kty\":\"oct\",\"k\":\"AAAA\"}");
	struct jws_signature got;

	(void)state;
	memset(&got, UNTOUCHED, sizeof(got));
	assert_int_equal(jws_sign(ref_str("cGF5"), "x", &public, &got), -EINVAL);
	assert_int_equal(jws_sign(ref_str("cGF5"), "x", &oct, &got), -EINVAL);
	assert_untouched("no private part", &got, sizeof(got));
	jwk_done(&oct);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_curve),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_callers_bugs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
