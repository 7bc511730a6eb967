/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JWKs with secret parts, which are read without jansson: private values, symmetric keys, form. */
#include "crypto/b64.h"
#include "crypto/jwk.h"

#include "tests/unit/vectors/jose.h"

#define P256(rest) "{" EC_MEMBERS("P-256", A3_X, A3_Y) "," rest "}"

static const char private_key[] = EC_PRIVATE("P-256", A3_X, A3_Y, A3_D);

static void expect_refused_text(const char *text, int want)
{
	struct jwk key;

	memset(&key, UNTOUCHED, sizeof(key));
	expect(text, read_exactly(ref_str(text), &key), want);
	assert_untouched(text, &key, sizeof(key));
}

static void test_private_values(void **state)
{
	/* provokes: jwk_read -EBADMSG */
	static const struct {
		const char *what, *d;
		int want;
	} cases[] = {
		{"the key's own", A3_D, 0},
		{"another key's", C_BOB_D, -EBADMSG},
		{"0", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", -EBADMSG},
		{"1", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE", -EBADMSG},
		{"the order", "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE", -EBADMSG},
		{"2^256 - 1", "__________________________________________8", -EBADMSG},
		{"a byte too few", "mxCecZCYv5gEh98fXXfpyylgbr7SJjtfV8IT34T0sg", -EBADMSG},
		{"a zero byte in front", "AI6bEJ5xkJi_mASH3x9dd-nLKWBuvtImO19XwhPfhPSy", -EBADMSG},
		{"empty", "", -EBADMSG},
		{"no base64url", "jpsQnnGQmL+YBIffH1136cspYG6-0iY7X1fCE9-E9LI", -EBADMSG},
		{"padded", A3_D "=", -EBADMSG},
	};
	/* The generator with d = n + 1, which is the same key but not below the order. */
	static const char above[] =
		EC_PRIVATE("P-256", "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
			   "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
			   "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVI");
	static const char one[] = EC_PRIVATE("P-256", "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
					     "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
					     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[512];
		struct jwk key = {0};

		(void)snprintf(text, sizeof(text), "{%s,\"d\":\"%s\"}",
			       EC_MEMBERS("P-256", A3_X, A3_Y), cases[i].d);
		expect(cases[i].what, read_exactly(ref_str(text), &key), cases[i].want);
		jwk_done(&key);
	}
	expect_refused_text(above, -EBADMSG);
	assert_true(key_of(one).has_private);
}

/* A symmetric key of n bytes, as jwk_write_oct() does not write it. */
static void oct_text(size_t n, struct buf *ret)
{
	CLEANUP(buf_done) struct buf key = {0};

	assert_int_equal(buf_init(&key, n), 0);
	memset(key.p, 0x5a, n);
	key.n = n;
	assert_int_equal(buf_init(ret, 64 + b64_encoded_len(n)), 0);
	assert_int_equal(buf_append_str(ret, "{ \"kty\": \"oct\",\n\"k\" :\""), 0);
	assert_int_equal(b64_encode(buf_ref(&key), ret), 0);
	assert_int_equal(buf_append_str(ret, "\"}\n"), 0);
}

static void test_oct(void **state)
{
	static const char *const no_ops[] = {"{\"key_ops\":1}", "{\"key_ops\":[1]}",
					     "{\"key_ops\":\"sign\"}", "{\"use\":[]}"};
	/* as Clevis seals it for its tpm2 pin */
	struct jwk key =
		key_of("{\"alg\":\"A256GCM\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_"
		       "T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\","
		       "\"key_ops\":[\"encrypt\",\"decrypt\"],\"kty\":\"oct\"}");
	CLEANUP(buf_done) struct buf largest = {0};
	CLEANUP(buf_done) struct buf larger = {0};
	CLEANUP_JSON json_t *json = json_of("{\"kty\":\"oct\",\"k\":\"AAAA\"}");
	struct jwk big = {0};

	(void)state;
	assert_null(key.curve);
	assert_false(key.has_private);
	assert_int_equal(key.k.n, 64); /* RFC 7515 appendix A.1's key */
	assert_int_equal(key.k.p[0], 3);
	assert_int_equal(key.k.p[63], 163);
	assert_false(jwk_allows(&key, JWK_OP_DERIVE_KEY));
	jwk_done(&key);
	assert_null(key.k.p);

	oct_text(JWK_OCT_MAX, &largest);
	oct_text(JWK_OCT_MAX + 1, &larger);
	assert_int_equal(read_exactly(buf_ref(&largest), &big), 0);
	assert_int_equal(big.k.n, JWK_OCT_MAX);
	jwk_done(&big);
	assert_int_equal(read_exactly(buf_ref(&larger), &big), -E2BIG);

	for (size_t i = 0; i < ARRAY_SIZE(no_ops); i++) {
		CLEANUP_JSON json_t *json_ops = json_of(no_ops[i]);
		unsigned ops = 77;

		expect(no_ops[i], jwk_json_ops(json_ops, &ops), -EBADMSG);
		assert_int_equal(ops, 77);
	}

	/* provokes: jwk_read -EOPNOTSUPP */
	expect_refused_text("{\"kty\":\"RSA\"}", -EOPNOTSUPP);
	expect_refused_text("{\"kty\":\"oct\"}", -EBADMSG);
	expect_refused_text("{\"kty\":\"oct\",\"k\":1}", -EBADMSG);
	expect_refused_text("{\"kty\":\"oct\",\"k\":\"AAA=\"}", -EBADMSG);
	expect_refused_text("{\"k\":\"AAAA\"}", -EBADMSG);
	assert_int_equal(jwk_from_json(json, &big), -EOPNOTSUPP); /* no secrets through jansson */
}

static void test_write_oct(void **state)
{
	static const uint8_t bytes[JWK_OCT_MAX + 1] = {0xfb, 0xff, 1, 0};

	(void)state;
	for (size_t n = 0; n <= JWK_OCT_MAX; n += n < 40 ? 1 : 41) {
		CLEANUP(buf_done) struct buf text = {0};
		struct jwk key = {0};

		assert_int_equal(jwk_write_oct((struct ref){bytes, n}, &text), 0);
		if (n == 4)
			assert_ref_is(buf_ref(&text), "{\"k\":\"-_8BAA\",\"kty\":\"oct\"}");
		if (n == 0)
			continue;
		assert_int_equal(read_exactly(buf_ref(&text), &key), 0);
		assert_true(ref_equal(buf_ref(&key.k), (struct ref){bytes, n}));
		jwk_done(&key);
	}
	for (size_t n = JWK_OCT_MAX; n <= JWK_OCT_MAX + 1; n++) {
		struct buf text = {0};

		assert_int_equal(jwk_write_oct((struct ref){bytes, n}, &text),
				 n > JWK_OCT_MAX ? -E2BIG : 0);
		assert_int_equal(text.p == NULL, n > JWK_OCT_MAX);
		buf_done(&text);
	}
}

/* What is right in substance is refused for its form. */
static void test_text(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"{",
		P256("\"d\":\"" A3_D "\"") "x",
		P256("\"d\":\"" A3_D "\",\"d\":\"" A3_D "\""),
		P256("\"x\":\"" A3_X "\""),
		P256("\"kty\":\"EC\""),
		P256("\"key_ops\":[],\"key_ops\":[]"),
		P256("\"use\":\"sig\",\"use\":\"sig\""),
	};
	static const char good[] =
		" {\n\t\"d\" : \"" A3_D "\",\r\n \"ext\":{\"x\":[\"}\"]},\"n\":-1.5,"
		"\"y\":\"" A3_Y "\",\"x\":\"" A3_X "\",\"crv\":\"P-256\","
		"\"kid\":\"\\\"a\\\\\",\"kty\":\"EC\" } ";
	CLEANUP(buf_done) struct buf text = {0};
	struct jwk key = key_of(good);

	(void)state;
	assert_true(key.has_private);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_refused_text(bad[i], -EBADMSG);
	for (size_t n = 0; n < strlen(private_key); n++)
		expect("truncated",
		       read_exactly((struct ref){(const uint8_t *)private_key, n}, &key), -EBADMSG);

	assert_int_equal(buf_init(&text, JWK_TEXT_MAX + 1), 0);
	memset(text.p, ' ', text.cap);
	memcpy(text.p, private_key, strlen(private_key));
	text.n = JWK_TEXT_MAX;
	assert_int_equal(jwk_read(buf_ref(&text), &key), 0);
	text.n = JWK_TEXT_MAX + 1;
	assert_int_equal(jwk_read(buf_ref(&text), &key), -E2BIG);
}

static void test_read_oct(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		int result;
	} cases[] = {
		{"{\"k\":\"QUJD\",\"kty\":\"oct\"}", 3, 0},
		{"{\"k\":\"QUJD\",\"kty\":\"oct\"}", 4, -EBADMSG},
		{"{\"k\":\"QUJD\",\"kty\":\"RSA\"}", 3, -EBADMSG},
		{private_key, 32, -EBADMSG},
		{"no key", 3, -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(buf_done) struct buf key = {0};

		/* provokes: jwk_read_oct -EBADMSG */
		expect(cases[i].text, jwk_read_oct(ref_str(cases[i].text), cases[i].n, &key),
		       cases[i].result);
		expect(cases[i].text, ref_equal(buf_ref(&key), ref_str(key.p ? "ABC" : "")), true);
		expect(cases[i].text, key.p != NULL, cases[i].result == 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_private_values), cmocka_unit_test(test_oct),
		cmocka_unit_test(test_write_oct),      cmocka_unit_test(test_read_oct),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
