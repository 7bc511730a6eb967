/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which protected headers bind to the same thing. */
#include "enroll/same.h"

#include "tests/unit/vectors/jose.h"

/* A protected header of a tang token with these further members of clevis.tang. */
#define TANG(kid, url, more)                                                                \
	"{\"alg\":\"ECDH-ES\",\"kid\":\"" kid "\",\"epk\":{\"x\":\"" url                    \
	"\"},\"clevis\":{\"pin\":\"tang\",\"tang\":{\"url\":\"" url "\",\"adv\":{\"keys\":" \
	"[\"" url "\"]}" more "}}}"
#define OTHER(pin, config) "{\"kid\":\"K\",\"clevis\":{\"pin\":\"" pin "\",\"" pin "\":" config "}}"
#define TPM2(config)       "{\"clevis\":{\"pin\":\"tpm2\",\"tpm2\":{" config "}}}"

static bool same(const char *a, const char *b)
{
	CLEANUP_JSON json_t *left = json_of(a), *right = json_of(b);
	CLEANUP_JSON json_t *left_before = json_deep_copy(left);
	bool is = same_binding(left, right);

	if (same_binding(right, left) != is)
		fail_msg("the same or not, by the order of %s and %s", a, b);
	assert_true(json_equal(left, left_before));
	return is;
}

static void test_same(void **state)
{
	static const struct {
		const char *a, *b;
	} cases[] = {
		{TANG("K", "http://h", ""), TANG("K", "http://h", "")},
		{TANG("K", "http://h", ""), TANG("K", "http://h/", "")},
		{TANG("K", "http://h", ""), TANG("K", "http://h///", "")},
		{TANG("K", "http://h", ""), TANG("K", "h", "")},
		{TANG("K", "http://h/p/", ""), TANG("K", "h/p", "")},
		{TANG("K", "http://h", ""), TANG("K", "HTTP://h", "")},
		{TANG("K", "https://h", ""), TANG("K", "https://h/", "")},
		{TANG("K", "https://h", ",\"ca\":\"/c\""),
		 TANG("K", "https://h", ",\"ca\":\"/c\"")},
		{OTHER("tpm2", "{\"key\":\"ecc\",\"adv\":1}"), OTHER("tpm2", "{\"key\":\"ecc\"}")},
		{TPM2("\"name\":\"N\",\"jwk_pub\":\"a\",\"jwk_priv\":\"a\""),
		 TPM2("\"name\":\"N\",\"jwk_pub\":\"b\",\"jwk_priv\":\"b\"")},
		{TPM2("\"salt\":\"a\",\"jwk_pub\":\"a\""),
		 TPM2("\"salt\":\"b\",\"jwk_pub\":\"b\"")},
		{TPM2("\"pcr_values\":{\"sha256:7\":\"v\"},\"jwk_pub\":\"a\""),
		 TPM2("\"pcr_values\":{\"sha256:7\":\"v\"},\"jwk_pub\":\"b\"")},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (!same(cases[i].a, cases[i].b))
			fail_msg("not the same: %s and %s", cases[i].a, cases[i].b);
}

static void test_different(void **state)
{
	static const struct {
		const char *a, *b;
	} cases[] = {
		{TANG("K", "http://h", ""), TANG("L", "http://h", "")},
		{TANG("K", "http://h", ""), TANG("K", "http://i", "")},
		{TANG("K", "http://h", ""), TANG("K", "https://h", "")},
		{TANG("K", "https://h", ""), TANG("K", "h", "")},
		{TANG("K", "http://h", ""), TANG("K", "http://h:80", "")},
		{TANG("K", "http://h", ""), TANG("K", "http://h/p", "")},
		{TANG("K", "https://h", ",\"ca\":\"/c\""), TANG("K", "https://h", "")},
		{TANG("K", "https://h", ",\"ca\":\"/c\""),
		 TANG("K", "https://h", ",\"ca\":\"/d\"")},
		{TANG("K", "https://h", ",\"pubkey\":\"p\""), TANG("K", "https://h", "")},
		{OTHER("tpm2", "{\"key\":\"ecc\"}"), OTHER("tpm2", "{\"key\":\"rsa\"}")},
		{OTHER("tpm2", "{}"), OTHER("tang", "{}")},
		{TPM2("\"name\":\"N\""), TPM2("\"name\":\"M\"")},
		{TPM2("\"salt\":\"a\""), TPM2("\"key\":\"ecc\"")},
		{TPM2("\"salt\":\"a\""), TPM2("\"jwk_pub\":\"a\"")},
		{TPM2("\"pcr_values\":{\"sha256:7\":\"v\"}"),
		 TPM2("\"pcr_values\":{\"sha256:7\":\"w\"}")},
		{TPM2("\"pcr_ids\":\"7\""), TPM2("\"pcr_ids\":\"7,8\"")},
		{TPM2("\"pubkey\":\"k\""), TPM2("\"pubkey\":\"l\"")},
		{TPM2("\"parent\":\"0x81000001\""), TPM2("\"parent\":\"0x81000002\"")},
		{OTHER("tang", "{\"url\":1}"), OTHER("tang", "{\"url\":\"h\"}")},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (same(cases[i].a, cases[i].b))
			fail_msg("the same: %s and %s", cases[i].a, cases[i].b);
}

/* Headers that no parser let through still cost no crash. */
static void test_malformed(void **state)
{
	static const char *const headers[] = {
		"{}",
		"[]",
		"{\"kid\":\"K\"}",
		"{\"kid\":\"K\",\"clevis\":[]}",
		"{\"kid\":\"K\",\"clevis\":{\"pin\":\"tang\"}}",
		"{\"kid\":\"K\",\"clevis\":{\"pin\":1,\"1\":{}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		assert_false(same(headers[i], headers[i]));
		assert_false(same(headers[i], TANG("K", "h", "")));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_different),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
