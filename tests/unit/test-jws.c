/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JWS verification: RFC 7515's and 7520's examples, and everything that must not pass. */
#include "crypto/jws.h"

#include "tests/unit/vectors/sign.h"

/* RFC 7515 appendices A.3, A.6 and A.7 */
#define A3_PAYLOAD                                                                                 \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0" \
	"cnVlfQ"
#define A3_SIGNATURE \
	"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define A6_RS256                                                                                   \
	"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W" \
	"2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkS" \
	"jtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv" \
	"Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"

#define A3_MEMBERS "\"protected\":\"eyJhbGciOiJFUzI1NiJ9\",\"signature\":\"" A3_SIGNATURE "\""
#define A7_MEMBERS "\"header\":{\"kid\":\"e9bc097a-ce51-4036-9562-d2ade882db0d\"}," A3_MEMBERS
#define A6_OTHER                                                                       \
	"{\"protected\":\"eyJhbGciOiJSUzI1NiJ9\",\"header\":{\"kid\":\"2010-12-29\"}," \
	"\"signature\":\"" A6_RS256 "\"}"

/* RFC 7520 sections 3.2 and 4.3 */
#define BILBO                                                                                     \
	EC_PUBLIC("P-521",                                                                        \
		  "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyR" \
		  "XYgCF5cj0Kt",                                                                  \
		  "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cw" \
		  "lGfP-HqHZR1")
#define BILBO_JWS                                                                                  \
	"{\"payload\":\"SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vc" \
	"i4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXig" \
	"JlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4\","                        \
	"\"protected\":\"eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9" \
	"\",\"signature\":\"AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7" \
	"KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6s" \
	"FY8OcGDqoRuBomu9xQ2\"}"

static const char *const keys[] = {
	EC_PRIVATE("P-256", A3_X, A3_Y, A3_D),
	EC_PRIVATE("P-384", P384_X, P384_Y, P384_D),
	EC_PRIVATE("P-521", A4_X, A4_Y, A4_D),
};

static const char *const headers[] = {
	"{\"alg\":\"ES256\"}",
	"{\"alg\":\"ES384\"}",
	"{\"alg\":\"ES512\"}",
};

static int verify(const char *text, const char *key_text)
{
	CLEANUP_JSON json_t *jws = json_of(text);
	struct jwk key = key_of(key_text);

	return jws_verify(jws, &key);
}

static void test_published(void **state)
{
	static const struct {
		const char *what, *jws, *key;
	} cases[] = {
		{"A.3", "{\"payload\":\"" A3_PAYLOAD "\"," A3_MEMBERS "}",
		 EC_PUBLIC("P-256", A3_X, A3_Y)},
		{"A.4",
		 "{\"payload\":\"UGF5bG9hZA\",\"protected\":\"eyJhbGciOiJFUzUxMiJ9\",\"signature\":"
		 "\"AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34X"
		 "O0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ER"
		 "BXukOXolLzeO_Jn\"}",
		 EC_PUBLIC("P-521", A4_X, A4_Y)},
		{"A.6",
		 "{\"payload\":\"" A3_PAYLOAD "\",\"signatures\":[" A6_OTHER ",{" A7_MEMBERS "}]}",
		 EC_PUBLIC("P-256", A3_X, A3_Y)},
		{"A.7", "{\"payload\":\"" A3_PAYLOAD "\"," A7_MEMBERS "}",
		 EC_PUBLIC("P-256", A3_X, A3_Y)},
		{"RFC 7520 section 4.3", BILBO_JWS, BILBO},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		expect(cases[i].what, verify(cases[i].jws, cases[i].key), 0);
		expect(cases[i].what, verify(cases[i].jws, EC_PUBLIC("P-256", C_BOB_X, C_BOB_Y)),
		       -EKEYREJECTED);
	}
}

static void test_payload(void **state)
{
	static const char *const bad[] = {"{}", "{\"payload\":1}", "{\"payload\":\"Zg==\"}",
					  "{\"payload\":\"Zh\"}", "[\"payload\"]"};
	CLEANUP_JSON json_t *jws = json_of("{\"payload\":\"" A3_PAYLOAD "\"}");
	struct buf got = {0};

	(void)state;
	assert_int_equal(jws_payload(jws, &got),
			 0); /* without any signature: nothing is verified */
	assert_ref_is(buf_ref(&got), "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
				     "\"http://example.com/is_root\":true}");
	buf_done(&got);

	memset(&got, UNTOUCHED, sizeof(got));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP_JSON json_t *json = json_of(bad[i]);

		expect(bad[i], jws_payload(json, &got), -EBADMSG);
		assert_untouched(bad[i], &got, sizeof(got));
	}
}

/* Each curve's key accepts its own algorithm and no other, and no other key's signature. */
static void test_each_curve(void **state)
{
	(void)state;
	for (size_t signer = 0; signer < ARRAY_SIZE(keys); signer++) {
		struct jwk key = key_of(keys[signer]);

		for (size_t header = 0; header < ARRAY_SIZE(headers); header++) {
			CLEANUP_JSON json_t *jws = sign_flattened(&key, headers[header], "cGF5");

			for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
				struct jwk other = key_of(keys[k]);

				expect(headers[header], jws_verify(jws, &other),
				       k == signer && header == signer ? 0 : -EKEYREJECTED);
			}
		}
		jwk_done(&key);
	}
}

/* Properly signed, and yet not to be accepted. */
static void test_headers(void **state)
{
	static const struct {
		const char *header;
		int want;
	} cases[] = {
		{"{\"alg\":\"ES256\"}", 0},
		{" {\n\"alg\" : \"ES256\", \"kid\":\"any\", \"cty\":\"jwk-set+json\" } ", 0},
		{"{}", -EKEYREJECTED},
		{"{\"alg\":\"none\"}", -EKEYREJECTED},
		{"{\"alg\":\"HS256\"}", -EKEYREJECTED},
		{"{\"alg\":\"RS256\"}", -EKEYREJECTED},
		{"{\"alg\":\"ES384\"}", -EKEYREJECTED},
		{"{\"alg\":\"ES256K\"}", -EKEYREJECTED},
		{"{\"alg\":\"es256\"}", -EKEYREJECTED},
		{"{\"alg\":\"\"}", -EKEYREJECTED},
		{"{\"alg\":[\"ES256\"]}", -EKEYREJECTED},
		{"{\"alg\":\"ES256\",\"crit\":[\"exp\"]}", -EKEYREJECTED},
		{"{\"alg\":\"ES256\",\"crit\":[]}", -EKEYREJECTED},
		{"{\"alg\":\"ES256\",\"crit\":null}", -EKEYREJECTED},
		{"{\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"]}", -EKEYREJECTED},
		{"{\"alg\":\"ES256\",\"b64\":false}", -EKEYREJECTED},
	};
	struct jwk key = key_of(keys[0]);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *jws = sign_flattened(&key, cases[i].header, "cGF5");

		expect(cases[i].header, jws_verify(jws, &key), cases[i].want);
	}
	jwk_done(&key);
}

static void test_header_that_is_none(void **state)
{
	static const char *const cases[] = {
		"",
		"ES256",
		"[\"alg\",\"ES256\"]",
		"{\"alg\":\"ES256\"",
		"{\"alg\":\"ES256\",\"alg\":\"ES256\"}",
		"{\"alg\":\"none\",\"alg\":\"ES256\"}",
	};
	struct jwk key = key_of(keys[0]);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *jws = sign_flattened(&key, cases[i], "cGF5");

		expect_refused(cases[i], jws_verify(jws, &key));
	}
	jwk_done(&key);
}

/* What only the unprotected header says counts for nothing, but what it must not say is seen. */
static void test_unprotected_header(void **state)
{
	struct jwk key = key_of(keys[0]);
	CLEANUP_JSON json_t *no_alg = sign_flattened(&key, "{}", "cGF5");
	CLEANUP_JSON json_t *crit = sign_flattened(&key, headers[0], "cGF5");
	CLEANUP_JSON json_t *unprotected = json_pack(
		"{s:s, s:s, s:{s:s}}", "payload", "cGF5", "signature",
		json_string_value(json_object_get(crit, "signature")), "header", "alg", "ES256");

	(void)state;
	json_object_set_new(no_alg, "header", json_of(headers[0]));
	expect("alg in the unprotected header", jws_verify(no_alg, &key), -EKEYREJECTED);
	expect_refused("no protected header", jws_verify(unprotected, &key));

	assert_int_equal(jws_verify(crit, &key), 0);
	json_object_set_new(crit, "header", json_of("{\"crit\":[\"exp\"]}"));
	expect_refused("crit in the unprotected header", jws_verify(crit, &key));
	jwk_done(&key);
}

static void test_tampered(void **state)
{
	static const char *const members[] = {"payload", "protected", "signature"};
	struct jwk key = key_of(keys[0]);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		CLEANUP_JSON json_t *jws = sign_flattened(&key, headers[0], "cGF5bG9hZA");
		char *text = strdup(js_str(jws, members[i]));

		for (char *c = text; *c; c++) {
			char was = *c;

			*c = was == 'A' ? 'B' : 'A';
			json_object_set_new(jws, members[i], json_string(text));
			expect_refused(members[i], jws_verify(jws, &key));
			*c = was;
		}
		json_object_set_new(jws, members[i], json_string(text));
		assert_int_equal(jws_verify(jws, &key), 0);
		free(text);
	}
	jwk_done(&key);
}

/* The order of P-256 */
#define ORDER_256 "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE"

static void assert_signature_refused(const char *what, const struct jwk *key, struct ref sig)
{
	CLEANUP_JSON json_t *jws = sign_flattened(key, headers[0], "cGF5");

	json_object_set_new(jws, "signature", js_from_b64(sig));
	expect(what, jws_verify(jws, key), -EKEYREJECTED);
}

static void test_signature_values(void **state)
{
	struct jwk key = key_of(keys[0]);
	CLEANUP_JSON json_t *good = sign_flattened(&key, headers[0], "cGF5");
	CLEANUP_JSON json_t *numbers = json_of("{\"order\":\"" ORDER_256 "\"}");
	CLEANUP(buf_done) struct buf sig = {0};
	CLEANUP(buf_done) struct buf order = {0};
	CLEANUP(buf_done) struct buf der = {0};
	uint8_t bad[65] = {0};

	(void)state;
	assert_int_equal(js_b64(good, "signature", &sig), 0);
	assert_int_equal(js_b64(numbers, "order", &order), 0);

	for (size_t n = 0; n < sig.n; n++)
		assert_signature_refused("truncated", &key, (struct ref){sig.p, n});
	memcpy(bad, sig.p, 64);
	assert_signature_refused("a byte too many", &key, (struct ref){bad, 65});
	memcpy(bad, sig.p + 32, 32);
	memcpy(bad + 32, sig.p, 32);
	assert_signature_refused("r and s swapped", &key, (struct ref){bad, 64});

	memset(bad, 0, sizeof(bad));
	assert_signature_refused("r = s = 0", &key, (struct ref){bad, 64});
	memcpy(bad + 32, sig.p + 32, 32);
	assert_signature_refused("r = 0", &key, (struct ref){bad, 64});
	memcpy(bad, order.p, 32);
	assert_signature_refused("r = n", &key, (struct ref){bad, 64});
	memcpy(bad, sig.p, 32);
	memset(bad + 32, 0, 32);
	assert_signature_refused("s = 0", &key, (struct ref){bad, 64});
	memcpy(bad + 32, order.p, 32);
	assert_signature_refused("s = n", &key, (struct ref){bad, 64});
	memset(bad, 0xff, sizeof(bad));
	assert_signature_refused("all ones", &key, (struct ref){bad, 64});

	sign_der(&key, "eyJhbGciOiJFUzI1NiJ9.cGF5", &der);
	assert_signature_refused("DER", &key, buf_ref(&der));
	jwk_done(&key);
}

/* A general JWS with n signatures by the first key and then one by the last. */
static json_t *general(size_t n, const char *payload)
{
	struct jwk first = key_of(keys[0]), last = key_of(keys[2]);
	json_t *signatures = json_array(), *one = sign(&first, headers[0], payload);

	while (n-- > 0)
		json_array_append(signatures, one);
	json_array_append_new(signatures, sign(&last, headers[2], payload));
	json_decref(one);
	jwk_done(&first);
	jwk_done(&last);
	return json_pack("{s:s, s:o}", "payload", payload, "signatures", signatures);
}

static void test_several_signatures(void **state)
{
	/* provokes: jws_verify -E2BIG */
	static const struct {
		size_t others;
		int want_last, want_none;
	} cases[] = {
		{0, 0, -EKEYREJECTED},
		{1, 0, -EKEYREJECTED},
		{JWS_SIGNATURES_MAX - 1, 0, -EKEYREJECTED},
		{JWS_SIGNATURES_MAX, -E2BIG, -E2BIG},
		{100, -E2BIG, -E2BIG},
	};
	struct jwk last = key_of(keys[2]), none = key_of(keys[1]);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *jws = general(cases[i].others, "cGF5");

		assert_int_equal(jws_verify(jws, &last), cases[i].want_last);
		assert_int_equal(jws_verify(jws, &none), cases[i].want_none);
		json_object_set_new(jws, "payload", json_string("cGF6"));
		if (cases[i].want_last == 0)
			assert_int_equal(jws_verify(jws, &last), -EKEYREJECTED);
	}
	jwk_done(&last);
	jwk_done(&none);
}

static void test_what_is_no_jws(void **state)
{
	/* provokes: jws_verify -EBADMSG */
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{"{}", -EBADMSG},
		{"[]", -EBADMSG},
		{"\"a.b.c\"", -EBADMSG},
		{"{" A3_MEMBERS "}", -EBADMSG},
		{"{\"payload\":1," A3_MEMBERS "}", -EBADMSG},
		{"{\"payload\":null,\"signatures\":[{" A3_MEMBERS "}]}", -EBADMSG},
		{"{\"payload\":\"" A3_PAYLOAD "\",\"signatures\":{}}", -EBADMSG},
		{"{\"payload\":\"" A3_PAYLOAD "\",\"signatures\":\"\"}", -EBADMSG},
		{"{\"payload\":\"" A3_PAYLOAD "\",\"signatures\":[{" A3_MEMBERS "}]," A3_MEMBERS
		 "}",
		 -EBADMSG},
		{"{\"payload\":\"" A3_PAYLOAD "\"}", 1},
		{"{\"payload\":\"" A3_PAYLOAD "\",\"signatures\":[]}", 1},
		{"{\"payload\":\"" A3_PAYLOAD "\",\"signatures\":[1]}", 1},
		{"{\"payload\":\"" A3_PAYLOAD "\",\"signatures\":[[]]}", 1},
		{"{\"payload\":\"" A3_PAYLOAD "\",\"protected\":\"eyJhbGciOiJFUzI1NiJ9\"}", 1},
		{"{\"payload\":\"" A3_PAYLOAD "\",\"protected\":1,\"signature\":\"" A3_SIGNATURE
		 "\"}",
		 1},
		{"{\"payload\":\"" A3_PAYLOAD "\",\"signature\":\"" A3_SIGNATURE "\"}", 1},
		{"{\"payload\":\"" A3_PAYLOAD "\",\"protected\":\"eyJhbGciOiJFUzI1NiJ9\","
		 "\"signature\":1}",
		 1},
		{"{\"payload\":\"" A3_PAYLOAD "\",\"protected\":\"eyJhbGciOiJFUzI1NiJ9\","
		 "\"signature\":\"" A3_SIGNATURE "==\"}",
		 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = verify(cases[i].text, keys[0]);

		if (cases[i].want == 1)
			expect_refused(cases[i].text, r);
		else
			expect(cases[i].text, r, cases[i].want);
	}
}

static void test_symmetric_key(void **state)
{
	CLEANUP_JSON json_t *jws = json_of("{\"payload\":\"" A3_PAYLOAD "\"," A3_MEMBERS "}");
	struct jwk oct = key_of("{\"kty\":\"oct\",\"k\":\"" A3_X "\"}");

	(void)state;
	expect_refused("a symmetric key", jws_verify(jws, &oct));
	jwk_done(&oct);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_payload),
		cmocka_unit_test(test_each_curve),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_header_that_is_none),
		cmocka_unit_test(test_unprotected_header),
		cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_signature_values),
		cmocka_unit_test(test_several_signatures),
		cmocka_unit_test(test_what_is_no_jws),
		cmocka_unit_test(test_symmetric_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
