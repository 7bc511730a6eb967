/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a JWK may be used for, as Tang reads it. */
#include "tang/server/use.h"

#include "tests/unit/vectors/jose.h"

static void test_allows(void **state)
{
	static const struct {
		const char *json;
		bool sign, derive;
	} cases[] = {
		{"{\"key_ops\":[\"sign\",\"verify\"]}", true, false},
		{"{\"key_ops\":[\"verify\"]}", false, false},
		{"{\"key_ops\":[\"deriveKey\"]}", false, true},
		{"{\"key_ops\":[1,null,\"deriveKey\"]}", false, true},
		{"{\"key_ops\":[]}", false, false},
		{"{\"key_ops\":{}}", false, false},
		{"{\"key_ops\":\"sign\"}", false, false},
		{"{\"use\":\"sig\"}", true, false},
		{"{\"use\":\"enc\"}", false, false},
		{"{\"use\":\"\"}", false, false},
		{"{\"use\":1,\"key_ops\":[\"sign\"]}", false, false},
		{"{\"use\":\"sig\",\"key_ops\":[\"deriveKey\"]}", true, true},
		{"{\"use\":\"enc\",\"key_ops\":[\"sign\"]}", true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *json = json_of(cases[i].json);

		for (int none = USE_NONE_ALLOWS; none <= USE_NONE_REFUSES; none++) {
			expect(cases[i].json, use_allows(json, "sign", (enum use_none)none),
			       cases[i].sign);
			expect(cases[i].json, use_allows(json, "deriveKey", (enum use_none)none),
			       cases[i].derive);
		}
	}
}

static void test_none(void **state)
{
	CLEANUP_JSON json_t *json = json_of("{\"kty\":\"EC\"}");

	(void)state;
	assert_true(use_allows(json, "sign", USE_NONE_ALLOWS));
	assert_true(use_allows(json, "deriveKey", USE_NONE_ALLOWS));
	assert_false(use_allows(json, "deriveKey", USE_NONE_REFUSES));
}

static void test_make_public(void **state)
{
	static const char *const cases[][2] = {
		{"{\"key_ops\":[\"sign\",\"verify\"]}", "{\"key_ops\":[\"verify\"]}"},
		{"{\"key_ops\":[\"sign\",\"sign\",\"unwrapKey\",\"decrypt\"]}", "{\"key_ops\":[]}"},
		{"{\"key_ops\":[\"deriveKey\",1]}", "{\"key_ops\":[\"deriveKey\",1]}"},
		{"{\"use\":\"sig\"}", "{\"use\":\"sig\"}"},
		{"{\"key_ops\":\"sign\"}", "{\"key_ops\":\"sign\"}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *json = json_of(cases[i][0]), *want = json_of(cases[i][1]);

		use_make_public(json);
		if (!json_equal(json, want))
			fail_msg("%s", cases[i][0]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allows),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_make_public),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
