/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JWKs: both readers, what is no point, thumbprints, key_ops. */
#include "crypto/jwk.h"

#include "tests/unit/vectors/jose.h"

/* RFC 7517 appendix A.1: an EC key, and an RSA key's first members */
#define RFC7517_EC                                                                                 \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\"," \
	"\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"use\":\"enc\",\"kid\":\"1\"}"
#define RFC7517_RSA                                                                       \
	"{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx\"," \
	"\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}"
/* appendix A.2: the EC key's private form */
#define RFC7517_EC_PRIVATE                                                                         \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\"," \
	"\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\","                                   \
	"\"d\":\"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE\",\"use\":\"enc\",\"kid\":\"1\"}"

#define P256(rest) "{" EC_MEMBERS("P-256", A3_X, A3_Y) "," rest "}"

static const struct {
	const char *private, *public, *s256, *s1;
} keys[] = {
	{EC_PRIVATE("P-256", A3_X, A3_Y, A3_D), EC_PUBLIC("P-256", A3_X, A3_Y),
	 "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U", "EMMMl6Rj75mqhcABihxxl_VCN9s"},
	{EC_PRIVATE("P-384", P384_X, P384_Y, P384_D), EC_PUBLIC("P-384", P384_X, P384_Y),
	 "l2tfkSzhekdOr24I18E1O_-49AlK14MTo7OxJMS7-HI", "7FdhJXLge-K7KaMfgCaEAtoRKmk"},
	{EC_PRIVATE("P-521", A4_X, A4_Y, A4_D), EC_PUBLIC("P-521", A4_X, A4_Y),
	 "u5YUSjQ2-2chBi51NSk3t3g7IM4o2KYcnPqPtCNGd3U", "wJ3YdoCKBx95d5oQQ_QNQxOX5I4"},
	{RFC7517_EC_PRIVATE, RFC7517_EC, "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
	 "VHriznG7vJAFpXMXRmGgAkA5sEE"},
};

static int from_json(const char *text, struct jwk *ret)
{
	CLEANUP_JSON json_t *json = json_of(text);

	return jwk_from_json(json, ret);
}

/* Neither reader may accept it, nor write its output. */
static void expect_both(const char *text, int want)
{
	struct jwk key;

	memset(&key, UNTOUCHED, sizeof(key));
	expect(text, read_exactly(ref_str(text), &key), want);
	assert_untouched(text, &key, sizeof(key));
	expect(text, from_json(text, &key), want);
	assert_untouched(text, &key, sizeof(key));
}

static void test_curves(void **state)
{
	static const struct {
		const char *name, *jws_alg;
	} curves[] = {{"P-256", "ES256"}, {"P-384", "ES384"}, {"P-521", "ES512"}};
	static const char *const none[] = {"",      "P-25",      "P-2567", "p-256",
					   "P-224", "secp256k1", "Ed25519"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		const struct curve *curve = curve_by_name(curves[i].name);

		assert_non_null(curve);
		assert_string_equal(curve->name, curves[i].name);
		assert_string_equal(curve->jws_alg, curves[i].jws_alg);
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_null(curve_by_name(none[i]));
}

static void assert_public_is(const struct jwk *key, const char *want)
{
	CLEANUP_JSON json_t *got = jwk_to_json(key), *wanted = json_of(want);

	json_object_del(wanted, "use");
	json_object_del(wanted, "kid");
	assert_int_equal(json_object_size(got), 4);
	assert_true(json_equal(got, wanted));
}

static void test_read_and_write(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct jwk private = key_of(keys[i].private), public = key_of(keys[i].public);
		CLEANUP_JSON json_t *json = json_of(keys[i].private);
		struct jwk parsed = {0};

		assert_int_equal(jwk_from_json(json, &parsed), 0);
		assert_true(private.has_private);
		assert_false(public.has_private);
		assert_false(parsed.has_private); /* jwk_from_json() ignores d */
		for (size_t j = 0; j < EC_COORD_MAX; j++)
			assert_int_equal(parsed.d[j], 0);

		assert_public_is(&private, keys[i].public);
		assert_public_is(&public, keys[i].public);
		assert_public_is(&parsed, keys[i].public);
		jwk_done(&private);
		assert_null(private.curve);
		assert_false(private.has_private);
		for (size_t j = 0; j < EC_COORD_MAX; j++)
			assert_int_equal(private.d[j], 0);
	}
}

static void test_move(void **state)
{
	struct jwk from = key_of(keys[0].private), to = {0};

	(void)state;
	jwk_move(&from, &to);
	assert_true(to.has_private);
	assert_public_is(&to, keys[0].public);
	for (size_t i = 0; i < sizeof(from); i++)
		assert_int_equal(((const uint8_t *)&from)[i], 0);
	jwk_done(&to);
}

static void test_d_is_ignored_by_jwk_from_json(void **state)
{
	struct jwk key = {0};

	(void)state;
	assert_int_equal(from_json(P256("\"d\":\"not even base64url!\""), &key), 0);
	assert_false(key.has_private);
}

static void test_thumbprints(void **state)
{
	struct jwk oct = key_of("{\"kty\":\"oct\",\"k\":\"AAAA\"}");
	char got[JWK_THUMBPRINT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct jwk key = key_of(i % 2 ? keys[i].private : keys[i].public);

		assert_int_equal(jwk_thumbprint(&key, "S256", got), 0);
		assert_string_equal(got, keys[i].s256);
		assert_int_equal(jwk_thumbprint(&key, "S1", got), 0);
		assert_string_equal(got, keys[i].s1);

		assert_true(jwk_has_thumbprint(&key, keys[i].s256));
		assert_true(jwk_has_thumbprint(&key, keys[i].s1));
		assert_false(jwk_has_thumbprint(&key, keys[(i + 1) % ARRAY_SIZE(keys)].s256));
		assert_false(jwk_has_thumbprint(&key, ""));
		jwk_done(&key);
	}

	memset(got, UNTOUCHED, sizeof(got));
	for (const char *const *alg =
		     (const char *const[]){"", "S224", "S512", "s256", "SHA256", NULL};
	     *alg; alg++) {
		struct jwk key = key_of(keys[0].public);

		expect(*alg, jwk_thumbprint(&key, *alg, got), -EOPNOTSUPP);
		assert_untouched(*alg, got, sizeof(got));
	}
	assert_int_equal(jwk_thumbprint(&oct, "S256", got), -EOPNOTSUPP);
	assert_untouched("oct", got, sizeof(got));
	assert_false(jwk_has_thumbprint(&oct, keys[0].s256));
	jwk_done(&oct);
}

static void test_thumbprint_must_match_whole(void **state)
{
	struct jwk key = key_of(keys[0].public);
	char text[JWK_THUMBPRINT_MAX + 2];

	(void)state;
	for (size_t i = 0; i < JWK_THUMBPRINT_MAX; i++) {
		(void)snprintf(text, sizeof(text), "%s", keys[0].s256);
		text[i] = text[i] == 'A' ? 'B' : 'A';
		assert_false(jwk_has_thumbprint(&key, text));
		(void)snprintf(text, sizeof(text), "%.*s", (int)i, keys[0].s256);
		assert_false(jwk_has_thumbprint(&key, text));
	}
	(void)snprintf(text, sizeof(text), "%s=", keys[0].s256);
	assert_false(jwk_has_thumbprint(&key, text));
}

static void test_what_is_no_point(void **state)
{
	/* secp256k1's generator: the right length, another curve */
	static const char *const cases[] = {
		EC_PUBLIC("P-256", "eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g",
			  "SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg"),
		EC_PUBLIC("P-256", A3_X, A3_X),
		EC_PUBLIC("P-256", A3_Y, A3_X),
		EC_PUBLIC("P-256", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
			  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		EC_PUBLIC("P-256", "__________________________________________8",
			  "__________________________________________8"),
		/* another curve's key of another length */
		EC_PUBLIC("P-384", A3_X, A3_Y),
		EC_PUBLIC("P-256", P384_X, P384_Y),
		EC_PUBLIC("P-521", P384_X, P384_Y),
		/* x = 0 is on each curve; x = p says the same in another way, so does y + p */
		EC_PUBLIC("P-256", "_____wAAAAEAAAAAAAAAAAAAAAD_______________8",
			  "ZkhceA4vg9ckM71dhKBrtlQcKvMdrocXKL-FahdPk_Q"),
		EC_PUBLIC("P-384",
			  "__________________________________________7_____AAAAAAAAAAD_____",
			  "wwZhD7CuWhWc9FwGBp8ipsXrNkHGAtQt6ixLT3VVB5NAbYDSuRrVT5BIvUh68a3h"),
		EC_PUBLIC("P-521",
			  "AMaFjga3BATpzZ4-y2YjlbRCnGSBOQU_tSH4KK9ga009uqFLXnfv51ko_h3BJ6L_"
			  "qN4zSLPBhWpCm_l-fjHC5b1m",
			  "Axg5KWp4mjvABFyKX7QsfRvZmPVESVebRGgXr70XJz5mLJfucple9CZAxVC5AT-t"
			  "B2E1PHCGonLCQIi-lHaf0WZP"),
		/* a byte too few and too many, the leading zero left away */
		EC_PUBLIC("P-256", "zc4ncPbEXUGDy-5v20t7WAczNXvp7xO6z248e9FURQ", A3_Y),
		EC_PUBLIC("P-256", "AH_Nzidw9sRdQYPL7m_bS3tYBzM1e-nvE7rPbjx70VRF", A3_Y),
		EC_PUBLIC("P-521", A4_X,
			  "NKZEDjdnUNI3H9G9wsjztx0vTuXqNDLIFcyjFWD-XZOH7HdLVYOGMOXLv1qMvgqR"
			  "3QBkxpmaH25uZ_rd7eTIyPY"),
		EC_PUBLIC("P-256", "", ""),
	};
	static const char zero_x[] =
		EC_PUBLIC("P-256", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
			  "ZkhceA4vg9ckM71dhKBrtlQcKvMdrocXKL-FahdPk_Q");
	static const char other_y[] =
		EC_PUBLIC("P-256", "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
			  "sBy9HAHlgGVxGBS1g_Bh6dQxzKmUzqExNEm_l8hArgo");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_both(cases[i], -EBADMSG);

	assert_null(key_of(zero_x).k.p);  /* a point, however odd */
	assert_null(key_of(other_y).k.p); /* minus the generator: the mirrored y is a point too */
}

/* Every byte of a coordinate counts. */
static void test_each_byte_of_a_coordinate(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct jwk key = key_of(keys[i].public), got;

		for (size_t byte = 0; byte < 2 * key.curve->size; byte++) {
			uint8_t *at = byte < key.curve->size ? &key.x[byte]
							     : &key.y[byte - key.curve->size];
			CLEANUP_JSON json_t *json = NULL;

			*at ^= 1;
			json = jwk_to_json(&key);
			*at ^= 1;
			expect(keys[i].public, jwk_from_json(json, &got), -EBADMSG);
		}
	}
}

static void test_members(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{RFC7517_RSA, -EOPNOTSUPP},
		{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", -EOPNOTSUPP},
		{"{\"kty\":\"\"}", -EOPNOTSUPP},
		{"{\"kty\":\"ec\",\"crv\":\"P-256\"}", -EOPNOTSUPP},
		{EC_PUBLIC("secp256k1", A3_X, A3_Y), -EOPNOTSUPP},
		{EC_PUBLIC("P-224", A3_X, A3_Y), -EOPNOTSUPP},
		{EC_PUBLIC("P-256 ", A3_X, A3_Y), -EOPNOTSUPP},
		{EC_PUBLIC("a curve with quite a long name", A3_X, A3_Y), -EOPNOTSUPP},
		{"{}", -EBADMSG},
		{"{\"crv\":\"P-256\",\"x\":\"" A3_X "\",\"y\":\"" A3_Y "\"}", -EBADMSG},
		{"{\"kty\":\"EC\",\"x\":\"" A3_X "\",\"y\":\"" A3_Y "\"}", -EBADMSG},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"y\":\"" A3_Y "\"}", -EBADMSG},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_X "\"}", -EBADMSG},
		{"{\"kty\":1,\"crv\":\"P-256\",\"x\":\"" A3_X "\",\"y\":\"" A3_Y "\"}", -EBADMSG},
		{"{\"kty\":\"EC\",\"crv\":[],\"x\":\"" A3_X "\",\"y\":\"" A3_Y "\"}", -EBADMSG},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":null,\"y\":\"" A3_Y "\"}", -EBADMSG},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_X "\",\"y\":{}}", -EBADMSG},
		{EC_PUBLIC("P-256", A3_X "=", A3_Y), -EBADMSG},
		{EC_PUBLIC("P-256", " " A3_X, A3_Y), -EBADMSG},
		{EC_PUBLIC("P-256", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVE+", A3_Y), -EBADMSG},
		{EC_PUBLIC("P-256", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV", A3_Y), -EBADMSG},
		{P256("\"key_ops\":\"verify\""), -EBADMSG},
		{P256("\"key_ops\":{\"0\":\"verify\"}"), -EBADMSG},
		{P256("\"key_ops\":[\"verify\",1]"), -EBADMSG},
		{P256("\"use\":[\"sig\"]"), -EBADMSG},
		{"[" EC_PUBLIC("P-256", A3_X, A3_Y) "]", -EBADMSG},
		{"\"EC\"", -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_both(cases[i].text, cases[i].want);
}

static void test_key_ops(void **state)
{
	enum { NONE = 0, SIGN = JWK_OP_SIGN, VERIFY = JWK_OP_VERIFY, DERIVE = JWK_OP_DERIVE_KEY };
	static const struct {
		const char *text;
		unsigned allowed;
	} cases[] = {
		{EC_PUBLIC("P-256", A3_X, A3_Y), NONE},
		{P256("\"key_ops\":[]"), NONE},
		{P256("\"key_ops\":[\"verify\"]"), VERIFY},
		{P256("\"key_ops\":[\"sign\",\"verify\"]"), SIGN | VERIFY},
		{P256("\"key_ops\":[\"verify\",\"sign\"]"), SIGN | VERIFY},
		{P256("\"key_ops\":[\"deriveKey\"]"), DERIVE},
		{P256("\"key_ops\":[\"deriveKey\",\"deriveBits\"]"), DERIVE},
		{P256("\"key_ops\":[\"deriveBits\"]"), NONE},
		{P256("\"key_ops\":[\"Verify\",\"derivekey\",\"verify \",\"\"]"), NONE},
		{P256("\"key_ops\":[\"wrapKey\",\"unknown\"]"), NONE},
		{P256("\"use\":\"sig\""), SIGN | VERIFY},
		{P256("\"use\":\"enc\""), DERIVE},
		{P256("\"use\":\"other\""), NONE},
		/* RFC 7517 section 4.3 wants the two to agree; the narrower one counts */
		{P256("\"use\":\"sig\",\"key_ops\":[\"verify\"]"), VERIFY},
	};
	static const enum jwk_op ops[] = {JWK_OP_SIGN, JWK_OP_VERIFY, JWK_OP_DERIVE_KEY};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct jwk read = key_of(cases[i].text), parsed = {0};

		assert_int_equal(from_json(cases[i].text, &parsed), 0);
		assert_int_equal(read.ops, parsed.ops);
		for (size_t j = 0; j < ARRAY_SIZE(ops); j++) {
			expect(cases[i].text, jwk_allows(&read, ops[j]),
			       (cases[i].allowed & ops[j]) != 0);
			expect(cases[i].text, jwk_allows(&parsed, ops[j]),
			       (cases[i].allowed & ops[j]) != 0);
		}
		if (i > 0) /* names something, though perhaps nothing that we do */
			assert_int_not_equal(read.ops, 0);
	}
	assert_int_equal(key_of(cases[0].text).ops, 0);
}

static void test_generate(void **state)
{
	static const char *const names[] = {"P-256", "P-384", "P-521"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct jwk a = {0}, b = {0}, back = {0};
		CLEANUP_JSON json_t *json = NULL;

		assert_int_equal(jwk_generate(curve_by_name(names[i]), &a), 0);
		assert_int_equal(jwk_generate(curve_by_name(names[i]), &b), 0);
		assert_true(a.has_private);
		assert_memory_not_equal(a.d, b.d, a.curve->size);
		assert_memory_not_equal(a.x, b.x, a.curve->size);

		json = jwk_to_json(&a);
		assert_string_equal(js_str(json, "crv"), names[i]);
		assert_null(json_object_get(json, "d"));
		assert_int_equal(jwk_from_json(json, &back), 0); /* on its curve */
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_curves),
		cmocka_unit_test(test_read_and_write),
		cmocka_unit_test(test_move),
		cmocka_unit_test(test_d_is_ignored_by_jwk_from_json),
		cmocka_unit_test(test_thumbprints),
		cmocka_unit_test(test_thumbprint_must_match_whole),
		cmocka_unit_test(test_what_is_no_point),
		cmocka_unit_test(test_each_byte_of_a_coordinate),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_key_ops),
		cmocka_unit_test(test_generate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
