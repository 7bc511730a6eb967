/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of a Tang server as their files have them. */
#include "tang/server/key.h"

#include "tests/unit/vectors/tang-keys.h"

#define A3_PRIVATE EC_MEMBERS("P-256", A3_X, A3_Y) ",\"d\":\"" A3_D "\""

static void test_uses(void **state)
{
	static const struct {
		const char *text;
		bool signs, recovers;
	} cases[] = {
		{"{" A3_PRIVATE ",\"alg\":\"ES256\",\"key_ops\":[\"sign\",\"verify\"]}", true,
		 false},
		{"{" A3_PRIVATE ",\"key_ops\":[\"verify\",\"sign\"]}", true, false},
		{"{" A3_PRIVATE ",\"use\":\"sig\"}", true, false},
		{"{" A3_PRIVATE "}", true, false},
		{"{" A3_PRIVATE ",\"alg\":\"ECMR\",\"key_ops\":[\"deriveKey\"]}", false, true},
		{"{" A3_PRIVATE ",\"key_ops\":[\"deriveKey\"]}", false, true},
		{"{" A3_PRIVATE ",\"use\":\"sig\",\"key_ops\":[\"deriveKey\"]}", true, true},
		{"{" A3_PRIVATE ",\"alg\":\"ECMR\",\"use\":\"sig\",\"key_ops\":[\"deriveKey\"]}",
		 false, true},
		{" \n{" A3_PRIVATE ",\"use\":\"sig\"} \n", true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(key_unrefp) struct key *key = parsed(cases[i].text);

		expect(cases[i].text, key->signs, cases[i].signs);
		expect(cases[i].text, key->exchange != NULL, cases[i].recovers);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *why;
		int want;
	} cases[] = {
		{"", "not a whole", -EBADMSG},
		{"{", "not a whole", -EBADMSG},
		{"null", "not a whole", -EBADMSG},
		{"[]", "not a whole", -EBADMSG},
		{"{}", "not a whole", -EBADMSG},
		{"{" A3_PRIVATE, "not a whole", -EBADMSG},
		{EC_PUBLIC("P-256", A3_X, A3_Y), "not a whole", -EBADMSG},
		{EC_PRIVATE("P-256", A3_X, A3_Y, C_BOB_D), "not a whole", -EBADMSG},
		{EC_PRIVATE("P-256", A3_X, C_BOB_Y, A3_D), "not a whole", -EBADMSG},
		{EC_PRIVATE("P-384", A3_X, A3_Y, A3_D), "not a whole", -EBADMSG},
		{EC_PRIVATE("secp256k1", A3_X, A3_Y, A3_D), "no elliptic-curve key", -EOPNOTSUPP},
		{"{\"kty\":\"oct\",\"k\":\"AAAA\"}", "no elliptic-curve key", -EOPNOTSUPP},
		{"{\"kty\":\"RSA\",\"n\":\"AAAA\",\"e\":\"AQAB\"}", "no elliptic-curve key",
		 -EOPNOTSUPP},
		{"{" A3_PRIVATE ",\"key_ops\":[\"sign\"]}", "neither to sign", -EOPNOTSUPP},
		{"{" A3_PRIVATE ",\"key_ops\":[]}", "neither to sign", -EOPNOTSUPP},
		{"{" A3_PRIVATE ",\"use\":\"enc\"}", "neither to sign", -EOPNOTSUPP},
		{"{" A3_PRIVATE ",\"alg\":\"ES512\",\"use\":\"sig\"}", "algorithm", -EOPNOTSUPP},
		{"{" A3_PRIVATE ",\"alg\":\"ECDH-ES\",\"key_ops\":[\"deriveKey\"]}", "algorithm",
		 -EOPNOTSUPP},
		{"{" A3_PRIVATE ",\"kid\":nonsense}", "not a whole", -EBADMSG},
		{"{" A3_PRIVATE ",\"alg\":\"ES256\",\"alg\":\"ES256\"}", "not a whole", -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ref text = ref_str(cases[i].text);
		const char *why = NULL;
		struct key *key = NULL;

		expect(cases[i].text, key_parse(text, &key, &why), cases[i].want);
		assert_null(key);
		if (!strstr(why, cases[i].why))
			fail_msg("%s: %s", cases[i].text, why);
	}
}

/* Of a good key's file, every beginning and every file with one byte changed is a key or is none. */
static void test_damaged(void **state)
{
	char *text = new_key_text("P-521", KEYRING_EXCHANGE);
	size_t n = strlen(text);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct buf copy = {0};
		const char *why;
		struct key *key = NULL;

		assert_int_equal(buf_copy(&copy, (struct ref){(const uint8_t *)text, i}), 0);
		if (i + 1 < n) /* without its newline it is whole */
			assert_int_equal(key_parse(buf_ref(&copy), &key, &why), -EBADMSG);
		buf_done(&copy);
		if (i % 4 == 0) {
			assert_int_equal(buf_copy(&copy, ref_str(text)), 0);
			copy.p[i] ^= 0x04;
			if (key_parse(buf_ref(&copy), &key, &why) == 0)
				key_unref(key);
			buf_done(&copy);
		}
	}
	free(text);
}

static void test_too_large(void **state)
{
	CLEANUP(buf_done) struct buf text = {0};
	const char *why = NULL;
	struct key *key = NULL;

	(void)state;
	assert_int_equal(buf_init(&text, 1024 * 1024), 0);
	assert_int_equal(buf_append_str(&text, "{" A3_PRIVATE ",\"use\":\"sig\"}"), 0);
	memset(text.p + text.n, ' ', text.cap - text.n);
	text.n = JWK_TEXT_MAX;
	assert_int_equal(key_parse(buf_ref(&text), &key, &why), 0);
	key_unref(key);
	key = NULL;
	text.n = JWK_TEXT_MAX + 1;
	assert_int_equal(key_parse(buf_ref(&text), &key, &why), -E2BIG);
	text.n = text.cap;
	assert_int_equal(key_parse(buf_ref(&text), &key, &why), -E2BIG);
	assert_non_null(strstr(why, "too large"));
	assert_null(key);
}

/* What a client sees: the file's public members in their order, nothing that only we might not know to be secret. */
static void test_advert(void **state)
{
	CLEANUP(key_unrefp)
	struct key *key =
		parsed("{\"alg\":\"ES256\",\"d\":\"" A3_D "\",\"secret\":\"s3\",\"kid\":\"k\","
		       "\"key_ops\":[\"sign\",\"verify\"]," EC_MEMBERS("P-256", A3_X, A3_Y) "}");
	CLEANUP(free_text) char *text = json_dumps(key->advert, JSON_COMPACT);

	(void)state;
	assert_string_equal(text,
			    "{\"alg\":\"ES256\",\"kid\":\"k\",\"key_ops\":[\"verify\"]," EC_MEMBERS(
				    "P-256", A3_X, A3_Y) "}");
}

/* By sha1sum and its sisters over the text of RFC 7638. */
static void test_thumbprints(void **state)
{
	static const char *const want[KEY_N_THUMBPRINTS] = {
		[KEY_S1] = "EMMMl6Rj75mqhcABihxxl_VCN9s",
		[KEY_S224] = "_1TTylC51ZZp9bPkqovPCFNI3QsF6tmxC0mhVg",
		[KEY_S256] = "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
		[KEY_S384] = "Gq_Qq4Z8QBq702LiUtX4GAhslQTBucBu6DYzIx1PlLRZJRR8wNAhb88ewicfjta-",
		[KEY_S512] =
			"nRxpjdDeDSKKXE10HvI4YCA3x2Kj7syu17jsTjhY8Lmy9fWaVkX-EkrawUoWmNxFNFYj63K206ok4ws2eFjKiQ",
	};
	CLEANUP(key_unrefp) struct key *key = parsed("{" A3_PRIVATE "}");

	(void)state;
	for (int i = 0; i < KEY_N_THUMBPRINTS; i++)
		assert_string_equal(key->thumbprints[i], want[i]);
	assert_string_equal(key_name(key), want[KEY_S256]);
}

static void test_count(void **state)
{
	CLEANUP(key_unrefp) struct key *key = new_key("P-256", KEYRING_EXCHANGE);
	struct key_count count = key_counted(key);
	uint64_t now = (uint64_t)time(NULL);

	(void)state;
	assert_int_equal(count.recoveries, 0);
	assert_int_equal(count.last, 0);
	key_count(key);
	key_count(key_ref(key));
	key_unref(key);
	count = key_counted(key);
	assert_int_equal(count.recoveries, 2);
	assert_true(count.last >= now && count.last <= now + 60);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uses),    cmocka_unit_test(test_refused),
		cmocka_unit_test(test_damaged), cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_advert),  cmocka_unit_test(test_thumbprints),
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
