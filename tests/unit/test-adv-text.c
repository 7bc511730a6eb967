/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Advertisements as bytes from anyone: cut off, altered, nested, huge, and signed in odd ways. */
#include "tang/adv.h"

#include "crypto/jws.h"
#include "tests/unit/lines.h"
#include "tests/unit/server.h"
#include "tests/unit/vectors/tang.h"

#define WHERE "/etc/tang.jws"

static struct jwk sign, also_sign, exchange;

static int make_keys(void **state)
{
	(void)state;
	assert_int_equal(jwk_generate(curve_by_name("P-256"), &sign), 0);
	assert_int_equal(jwk_generate(curve_by_name("P-384"), &also_sign), 0);
	assert_int_equal(jwk_generate(curve_by_name("P-256"), &exchange), 0);
	return 0;
}

static int wipe_keys(void **state)
{
	(void)state;
	jwk_done(&sign);
	jwk_done(&also_sign);
	jwk_done(&exchange);
	return 0;
}

/* Parses from memory of just the text's size. A failure leaves the output alone and tells where. */
static int parse(const char *what, struct ref text)
{
	CLEANUP(buf_done) struct buf exact = {0};
	struct lines lines;
	struct adv adv;
	int r;

	memset(&adv, UNTOUCHED, sizeof(adv));
	assert_int_equal(buf_copy(&exact, text), 0);
	r = adv_parse(buf_ref(&exact), WHERE, lines_begin(&lines), &adv);
	if (r == 0) {
		adv_done(&adv);
	} else {
		assert_untouched(what, &adv, sizeof(adv));
		assert_told(what, &lines, WHERE);
	}
	return r;
}

static int parse_json(const char *what, const json_t *jws)
{
	char *text = NULL;
	int r;

	assert_int_equal(js_dump(jws, &text), 0);
	r = parse(what, ref_str(text));
	free(text);
	return r;
}

/* The same advertisement flattened, and in the general form with two signatures. */
static void texts_of_both_forms(char *ret[2])
{
	const struct jwk *signers[] = {&sign, &also_sign};
	CLEANUP_JSON json_t *flattened = usual_adv(&sign, &exchange);
	CLEANUP_JSON json_t *jwks =
		json_pack("{s:[o, o, o]}", "keys", written_key(&sign, "ES256", "[\"verify\"]"),
			  written_key(&also_sign, "ES384", "[\"verify\"]"),
			  written_key(&exchange, "ECMR", "[\"deriveKey\"]"));
	CLEANUP_JSON json_t *general = signed_jws(jwks, signers, 2);

	assert_int_equal(js_dump(flattened, &ret[0]), 0);
	assert_int_equal(js_dump(general, &ret[1]), 0);
}

static void test_truncated(void **state)
{
	char *texts[2];

	(void)state;
	texts_of_both_forms(texts);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(parse("whole", ref_str(texts[i])), 0);
		for (size_t n = 0; n < strlen(texts[i]); n++)
			expect("truncated",
			       parse("truncated", (struct ref){(uint8_t *)texts[i], n}), -EBADMSG);
		free(texts[i]);
	}
}

static void test_altered(void **state)
{
	static const char flips[] = {0x01, 0x02, 0x20};
	char *texts[2];

	(void)state;
	texts_of_both_forms(texts);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		for (size_t n = 0; n < strlen(texts[i]); n++) {
			char *byte = &texts[i][n], was = *byte;

			*byte = (char)(was ^ flips[n % sizeof(flips)]);
			if (parse("altered", ref_str(texts[i])) == 0)
				fail_msg("byte %zu altered, and yet good: %s", n, texts[i]);
			*byte = was;
		}
		free(texts[i]);
	}
}

static void test_malformed(void **state)
{
	static const char *const texts[] = {
		"",
		"<html>404 Not Found</html>",
		"[]",
		"{}",
		"{\"keys\":[]}",
		"{\"payload\":1,\"protected\":\"e30\",\"signature\":\"\"}",
		"{\"payload\":null,\"signatures\":[]}",
		"{\"payload\":\"e30=\",\"signatures\":[]}",
		"{\"payload\":\"!\",\"signatures\":[]}",
		"{\"payload\":\"\",\"signatures\":[]}",
		"{\"payload\":\"eyJ\",\"signatures\":[]}",
		"{\"payload\":\"W10\",\"signatures\":[]}",             /* [] */
		"{\"payload\":\"e30\",\"signatures\":[]}",             /* {} */
		"{\"payload\":\"eyJrZXlzIjp7fX0\",\"signatures\":[]}", /* {"keys":{}} */
		"{\"payload\":\"eyJrZXlzIjoiIn0\",\"signatures\":[]}", /* {"keys":""} */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		expect(texts[i], parse(texts[i], ref_str(texts[i])), -EBADMSG);
}

/* A good advertisement without its signature, to which the tests below give others. */
static json_t *unsigned_adv(void)
{
	json_t *jws = usual_adv(&sign, &exchange);

	assert_int_equal(json_object_del(jws, "protected"), 0);
	assert_int_equal(json_object_del(jws, "signature"), 0);
	return jws;
}

static void test_odd_signatures(void **state)
{
	static const struct {
		const char *members;
		int want;
	} cases[] = {
		{"{}", -EKEYREJECTED},
		{"{\"signatures\":[]}", -EKEYREJECTED},
		{"{\"signatures\":[{}]}", -EKEYREJECTED},
		{"{\"signatures\":{}}", -EBADMSG},
		{"{\"signatures\":\"\"}", -EBADMSG},
		{"{\"protected\":\"!\",\"signature\":\"AA\"}", -EBADMSG},
		{"{\"protected\":\"eyJhbGciOiJFUzI1NiJ9\"}", -EBADMSG},
		{"{\"protected\":\"eyJhbGciOiJFUzI1NiJ9\",\"signature\":1}", -EBADMSG},
		{"{\"protected\":\"eyJhbGciOiJFUzI1NiJ9\",\"signature\":\"\"}", -EKEYREJECTED},
		{"{\"protected\":\"eyJhbGciOiJFUzI1NiJ9\",\"signature\":\"AAAA\"}", -EKEYREJECTED},
		{"{\"header\":{\"alg\":\"ES256\"},\"signature\":\"AAAA\"}", -EKEYREJECTED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *members = json_of(cases[i].members);
		CLEANUP_JSON json_t *jws = unsigned_adv();

		assert_int_equal(json_object_update(jws, members), 0);
		expect(cases[i].members, parse_json(cases[i].members, jws), cases[i].want);
	}
}

/* Each signature is right for its header; the header is not. */
static void test_signature_headers(void **state)
{
	static const struct {
		const char *header;
		int want;
	} cases[] = {
		{"{\"alg\":\"ES256\"}", 0},
		{"{\"alg\":\"ES256\",\"kid\":\"1\"}", 0},
		{"{}", -EKEYREJECTED},
		{"{\"alg\":\"none\"}", -EKEYREJECTED},
		{"{\"alg\":\"HS256\"}", -EKEYREJECTED},
		{"{\"alg\":\"ES384\"}", -EKEYREJECTED},
		{"{\"alg\":\"es256\"}", -EKEYREJECTED},
		{"{\"alg\":256}", -EKEYREJECTED},
		{"{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1}", -EKEYREJECTED},
		{"{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}", -EKEYREJECTED},
		{"{\"alg\":\"ES256\",\"b64\":false}", -EKEYREJECTED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *jws = unsigned_adv();
		CLEANUP_JSON json_t *signature =
			signature_with(js_str(jws, "payload"), cases[i].header, &sign);

		assert_int_equal(json_object_update(jws, signature), 0);
		expect(cases[i].header, parse_json(cases[i].header, jws), cases[i].want);
	}
}

static void test_many_signatures(void **state)
{
	(void)state;
	for (size_t n = JWS_SIGNATURES_MAX; n <= JWS_SIGNATURES_MAX + 1; n++) {
		CLEANUP_JSON json_t *jws = unsigned_adv();
		json_t *list = json_array();

		while (json_array_size(list) < n - 1)
			assert_int_equal(json_array_append_new(list, json_object()), 0);
		assert_int_equal(
			json_array_append_new(list, signature_by(js_str(jws, "payload"), &sign)),
			0);
		assert_int_equal(json_object_set_new(jws, "signatures", list), 0);
		expect("many signatures", parse_json("many signatures", jws),
		       n > JWS_SIGNATURES_MAX ? -E2BIG : 0);
	}
}

static void test_nested(void **state)
{
	enum { DEPTH = 100 * 1000 };
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP_JSON json_t *inner = NULL;
	CLEANUP_JSON json_t *jws = NULL;

	(void)state;
	assert_int_equal(buf_init(&text, DEPTH), 0);
	memset(text.p, '[', DEPTH);
	text.n = DEPTH;
	expect("outside", parse("outside", buf_ref(&text)), -E2BIG);

	inner = js_from_b64((struct ref){text.p, DEPTH / 2});
	jws = json_pack("{s:O, s:[]}", "payload", inner, "signatures");
	expect("inside", parse_json("inside", jws), -E2BIG);
}

static void test_long(void **state)
{
	enum { SIZE = 1024 * 1024 };
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP_JSON json_t *jws = usual_adv(&sign, &exchange);
	char *good = NULL;

	(void)state;
	assert_int_equal(js_dump(jws, &good), 0);
	assert_int_equal(buf_init(&text, SIZE), 0);
	memset(text.p, ' ', SIZE);
	memcpy(text.p, good, strlen(good));
	text.n = SIZE;
	expect("1 MB", parse("1 MB", buf_ref(&text)), -E2BIG);
	text.n = strlen(good) + 1000;
	expect("blanks behind", parse("blanks behind", buf_ref(&text)), 0);
	free(good);
}

static json_t *usual_keys(void)
{
	return json_pack("{s:[o, o]}", "keys", written_key(&sign, "ES256", "[\"verify\"]"),
			 written_key(&exchange, "ECMR", "[\"deriveKey\"]"));
}

static int parse_signed(const char *what, const json_t *jwks)
{
	const struct jwk *signers[] = {&sign};
	CLEANUP_JSON json_t *jws = signed_jws(jwks, signers, 1);

	return parse_json(what, jws);
}

/* Another key in an advertisement that is good without it. */
#define EC_KEY(crv, x, y, more) "{" EC_MEMBERS(crv, x, y) more "}"
#define VERIFIES                ",\"key_ops\":[\"verify\"]"
#define DERIVES                 ",\"key_ops\":[\"deriveKey\"]"
#define OFF_Y                   "y_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define ZERO                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void test_another_key(void **state)
{
	static const struct {
		const char *key;
		int want;
	} cases[] = {
		{EC_KEY("P-192", "AAAA", "AAAA", DERIVES), 0},
		{EC_KEY("secp256k1", A3_X, A3_Y, DERIVES), 0},
		{"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"" DERIVES "}", 0},
		{"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AAAA\"" DERIVES "}", 0},
		{"{\"kty\":\"PQC\"}", 0},
		{EC_KEY("P-192", "AAAA", "AAAA", VERIFIES), -EOPNOTSUPP},
		{EC_KEY("P-192", "AAAA", "AAAA", ",\"use\":\"sig\""), -EOPNOTSUPP},
		{"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"" VERIFIES "}", -EOPNOTSUPP},
		{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"" VERIFIES "}", -EOPNOTSUPP},
		{"{\"kty\":\"PQC\",\"key_ops\":[\"deriveKey\",\"verify\"]}", -EOPNOTSUPP},
		{EC_KEY("P-256", A3_X, A3_Y, ""), 0},
		{EC_KEY("P-256", A3_X, OFF_Y, DERIVES), -EBADMSG},
		{EC_KEY("P-256", A3_X, OFF_Y, VERIFIES), -EBADMSG},
		{EC_KEY("P-256", A3_X, OFF_Y, ""), -EBADMSG},
		{EC_KEY("P-256", A3_Y, A3_X, DERIVES), -EBADMSG},
		{EC_KEY("P-256", ZERO, ZERO, DERIVES), -EBADMSG},
		{EC_KEY("P-384", A3_X, A3_Y, DERIVES), -EBADMSG},
		{EC_KEY("P-256", A3_X, "", DERIVES), -EBADMSG},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_X "\"" DERIVES "}", -EBADMSG},
		{"{\"kty\":\"EC\",\"x\":\"" A3_X "\",\"y\":\"" A3_Y "\"" DERIVES "}", -EBADMSG},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":1,\"y\":2" DERIVES "}", -EBADMSG},
		{EC_KEY("P-256", A3_X, A3_Y, ",\"key_ops\":\"deriveKey\""), -EBADMSG},
		{EC_KEY("P-256", A3_X, A3_Y, ",\"key_ops\":[1]"), -EBADMSG},
		{"{\"crv\":\"P-256\"}", -EBADMSG},
		{"{}", -EBADMSG},
		{"[]", -EBADMSG},
		{"null", -EBADMSG},
		{"\"EC\"", -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *jwks = usual_keys();

		assert_int_equal(json_array_insert_new(json_object_get(jwks, "keys"), 0,
						       json_of(cases[i].key)),
				 0);
		expect(cases[i].key, parse_signed(cases[i].key, jwks), cases[i].want);
	}
}

static void test_many_keys(void **state)
{
	(void)state;
	for (size_t n = ADV_KEYS_MAX; n <= ADV_KEYS_MAX + 1; n++) {
		CLEANUP_JSON json_t *jwks = usual_keys();
		json_t *keys = json_object_get(jwks, "keys");

		while (json_array_size(keys) < n)
			assert_int_equal(json_array_append(keys, json_array_get(keys, 1)), 0);
		expect("many keys", parse_signed("many keys", jwks), n > ADV_KEYS_MAX ? -E2BIG : 0);
	}
}

static void expect_list(const char *what, const char *text, int want, size_t n_keys)
{
	CLEANUP_JSON json_t *jwks = json_of(text);
	CLEANUP(adv_done) struct adv adv = {0};
	struct lines lines;

	expect(what, adv_from_jwks(jwks, WHERE, lines_begin(&lines), &adv), want);
	assert_told(what, &lines, want < 0 ? WHERE : NULL);
	assert_int_equal(adv.n_keys, n_keys);
}

/* What a token keeps: not signed any more, and read without asking for any of its keys. */
static void test_from_jwks(void **state)
{
	CLEANUP_JSON json_t *many = json_of("{\"keys\":[]}");
	char *text = NULL;

	(void)state;
	expect_list("empty", "{\"keys\":[]}", 0, 0);
	expect_list("one", "{\"keys\":[" EC_KEY("P-256", A3_X, A3_Y, DERIVES) "]}", 0, 1);
	expect_list("no list", "{}", -EBADMSG, 0);
	expect_list("an object", "{\"keys\":{}}", -EBADMSG, 0);
	expect_list("a string", "{\"keys\":\"\"}", -EBADMSG, 0);
	expect_list("an array", "[]", -EBADMSG, 0);
	expect_list("unknown", "{\"keys\":[{\"kty\":\"RSA\"" DERIVES "}]}", 0, 0);
	expect_list("unknown", "{\"keys\":[{\"kty\":\"RSA\"" VERIFIES "}]}", -EOPNOTSUPP, 0);
	expect_list("off its curve", "{\"keys\":[" EC_KEY("P-256", A3_X, OFF_Y, DERIVES) "]}",
		    -EBADMSG, 0);

	for (size_t i = 0; i <= ADV_KEYS_MAX; i++)
		assert_int_equal(json_array_append_new(json_object_get(many, "keys"),
						       json_of("{\"kty\":\"RSA\"}")),
				 0);
	assert_int_equal(js_dump(many, &text), 0);
	expect_list("33 keys", text, -E2BIG, 0);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_altered),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_odd_signatures),
		cmocka_unit_test(test_signature_headers),
		cmocka_unit_test(test_many_signatures),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_another_key),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_from_jwks),
	};

	return cmocka_run_group_tests(tests, make_keys, wipe_keys);
}
