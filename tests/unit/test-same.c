/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which protected headers bind to the same thing. */
#include "enroll/same.h"

#include "tests/unit/vectors/jose.h"

#include <stdlib.h>

/* A protected header of a tang token with these further members of clevis.tang. */
#define TANG(kid, url, more)                                                                \
	"{\"alg\":\"ECDH-ES\",\"kid\":\"" kid "\",\"epk\":{\"x\":\"" url                    \
	"\"},\"clevis\":{\"pin\":\"tang\",\"tang\":{\"url\":\"" url "\",\"adv\":{\"keys\":" \
	"[\"" url "\"]}" more "}}}"
#define OTHER(pin, config) "{\"kid\":\"K\",\"clevis\":{\"pin\":\"" pin "\",\"" pin "\":" config "}}"
#define TPM2(config)       "{\"clevis\":{\"pin\":\"tpm2\",\"tpm2\":{" config "}}}"

#define CARD(config) \
	"{\"clevis\":{\"pin\":\"pkcs11\",\"pkcs11\":{\"mechanism\":\"RSA-PKCS\"," config "}}}"

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
		{OTHER("tang", "{\"adv\":1}"), OTHER("tang", "{\"adv\":2}")},
		{TPM2("\"name\":\"N\",\"jwk_pub\":\"a\",\"jwk_priv\":\"a\""),
		 TPM2("\"name\":\"N\",\"jwk_pub\":\"b\",\"jwk_priv\":\"b\"")},
		{TPM2("\"salt\":\"a\",\"jwk_pub\":\"a\""),
		 TPM2("\"salt\":\"b\",\"jwk_pub\":\"b\"")},
		{TPM2("\"pcr_values\":{\"sha256:7\":\"v\"},\"jwk_pub\":\"a\""),
		 TPM2("\"pcr_values\":{\"sha256:7\":\"v\"},\"jwk_pub\":\"b\"")},
		{CARD("\"uri\":\"u\",\"key\":\"a\""), CARD("\"uri\":\"u\",\"key\":\"b\"")},
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
		{OTHER("tpm2", "{\"key\":\"ecc\",\"adv\":1}"),
		 OTHER("tpm2", "{\"key\":\"ecc\",\"adv\":2}")},
		{TPM2("\"key\":\"ecc\",\"salt\":\"a\""), TPM2("\"key\":\"ecc\"")},
		{TPM2("\"salt\":\"a\""), TPM2("\"jwk_pub\":\"a\"")},
		{TPM2("\"pcr_values\":{\"sha256:7\":\"v\"}"),
		 TPM2("\"pcr_values\":{\"sha256:7\":\"w\"}")},
		{TPM2("\"pcr_ids\":\"7\""), TPM2("\"pcr_ids\":\"7,8\"")},
		{TPM2("\"pubkey\":\"k\""), TPM2("\"pubkey\":\"l\"")},
		{TPM2("\"parent\":\"0x81000001\""), TPM2("\"parent\":\"0x81000002\"")},
		{CARD("\"uri\":\"u\""), CARD("\"uri\":\"v\"")},
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
		"{\"clevis\":{\"pin\":\"sss\",\"sss\":{\"t\":1,\"jwe\":[\"no.jwe\"]}}}",
		"{\"clevis\":{\"pin\":\"sss\",\"sss\":{\"t\":1,\"jwe\":[1]}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		assert_false(same(headers[i], headers[i]));
		assert_false(same(headers[i], TANG("K", "h", "")));
	}
}

/* The protected header of a policy of these shares, which are protected headers. */
static char *policy(unsigned t, const char *const *shares)
{
	static const uint8_t key[JWE_CEK_SIZE];
	CLEANUP_JSON json_t *jwes = json_array(), *header = NULL;
	char *text = NULL;

	for (size_t i = 0; shares[i]; i++) {
		CLEANUP_JSON json_t *share = json_of(shares[i]);
		CLEANUP(jwe_done) struct jwe jwe = {0};
		char *compact = NULL;

		assert_int_equal(json_object_set_new(share, "alg", json_string("dir")), 0);
		assert_int_equal(json_object_set_new(share, "enc", json_string("A256GCM")), 0);
		assert_int_equal(
			jwe_seal(share, (struct ref){key, sizeof(key)}, ref_str("x"), &jwe), 0);
		assert_int_equal(jwe_to_compact(&jwe, &compact), 0);
		assert_int_equal(json_array_append_new(jwes, json_string(compact)), 0);
		free(compact);
	}
	header = json_pack("{s:{s:s, s:{s:i, s:s, s:O}}}", "clevis", "pin", "sss", "sss", "t",
			   (int)t, "p", "AAAA", "jwe", jwes);
	assert_int_equal(js_dump(header, &text), 0);
	return text;
}

#define A TANG("K", "http://a", "")
#define B TANG("L", "http://b", "")
#define P TPM2("\"name\":\"N\",\"jwk_pub\":\"a\"")

static void test_policies(void **state)
{
	static const struct {
		unsigned t, other_t;
		const char *shares[4], *others[4];
		bool same;
	} cases[] = {
		{1, 1, {A}, {A}, true},
		{2, 2, {A, B, P}, {A, B, P}, true},
		{2, 2, {A, B, P}, {P, A, B}, true},
		{2, 2, {A, B}, {TANG("L", "b/", ""), TANG("K", "a", "")}, true},
		{1, 1, {A, P}, {TPM2("\"name\":\"N\",\"jwk_pub\":\"b\""), A}, true},
		{1, 2, {A, B}, {A, B}, false},
		{1, 1, {A}, {A, B}, false},
		{1, 1, {A, A, B}, {A, B, B}, false},
		{1, 1, {A, B}, {A, P}, false},
		{1, 1, {A, B}, {A, TANG("M", "http://b", "")}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *a = policy(cases[i].t, cases[i].shares);
		char *b = policy(cases[i].other_t, cases[i].others);
		const char *within[] = {a, B, NULL}, *within_other[] = {B, b, NULL};
		char *outer = policy(1, within), *other_outer = policy(1, within_other);

		if (same(a, b) != cases[i].same || same(outer, other_outer) != cases[i].same)
			fail_msg("case %zu is %sthe same", i, cases[i].same ? "not " : "");
		assert_false(same(a, outer));
		assert_false(same(a, A));
		free(a);
		free(b);
		free(outer);
		free(other_outer);
	}
}

static void test_find(void **state)
{
	struct item items[] = {
		{.id = 2, .keyslots = 1 << 1, .ours = true},
		{.id = 4, .keyslots = 1 << 5, .ours = true, .valid = true},
		{.id = 6, .ours = true, .valid = true},
		{.id = 8, .keyslots = 1 << 3, .ours = true, .valid = true},
	};
	const struct inventory inventory = {.items = items, .n = ARRAY_SIZE(items)};
	static const struct {
		struct wipe gone;
		bool orphaned;
		int id;
	} cases[] = {
		{{0, 0}, false, 8},           {{0, 0}, true, 6},
		{{0, 1 << 8}, false, -1},     {{1 << 3, 0}, false, -1},
		{{1 << 5, 1 << 4}, false, 8}, {{0, 1 << 6}, true, -1},
		{{1 << 3, 1 << 8}, true, 6},
	};
	CLEANUP_JSON json_t *hdr = json_of(A);

	(void)state;
	items[1].token.jwe.hdr = json_of(B);
	items[2].token.jwe.hdr = json_of(A);
	items[3].token.jwe.hdr = json_of(A);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct item *item =
			same_find(&inventory, hdr, &cases[i].gone, cases[i].orphaned);

		if ((item ? (int)item->id : -1) != cases[i].id)
			fail_msg("case %zu finds another", i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		token_done(&items[i].token);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),      cmocka_unit_test(test_different),
		cmocka_unit_test(test_malformed), cmocka_unit_test(test_policies),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
