/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JWEs from text to JSON and back, also those of which nothing else is understood. */
#include "enroll/clevis/jwe-text.h"

#include "tests/unit/lines.h"

#define COMPACT "eyJhbGciOiJ4In0.a-_9.b.c.d"

static void test_there_and_back(void **state)
{
	static const char *const texts[] = {COMPACT, "eyJhbGciOiJkaXIifQ..AA.BB.CC"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP_JSON json_t *json = NULL;
		CLEANUP(free_text) char *back = NULL;

		assert_int_equal(jwe_text_to_json(texts[i], &json), 0);
		assert_int_equal(json_object_size(json), 5);
		assert_int_equal(jwe_text_to_compact(json, &back), 0);
		assert_string_equal(back, texts[i]);
	}
}

/* José leaves the newline in that stood at the end of the text. */
static void test_newlines(void **state)
{
	CLEANUP_JSON json_t *json = NULL, *string = json_string(COMPACT "\n");
	CLEANUP(free_text) char *back = NULL, *again = NULL;

	(void)state;
	assert_int_equal(jwe_text_to_json(COMPACT " \r\n", &json), 0);
	assert_string_equal(js_str(json, "tag"), "d");
	change(json, "tag", "\"d\\n\"");
	assert_int_equal(jwe_text_to_compact(json, &back), 0);
	assert_string_equal(back, COMPACT);
	assert_int_equal(jwe_text_to_compact(string, &again), 0);
	assert_string_equal(again, COMPACT);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"", "a", "a.b.c.d", "a.b.c.d.e.f", "a.b.c.d.e f", "a.b.c.d.e=", "a b.c.d.e.f"};
	static const char *const objects[] = {"1", "{}", "[]", "{\"protected\":\"a b\"}",
					      "{\"protected\":\"a\",\"iv\":\"b.c\"}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		json_t *json = NULL;

		expect(texts[i], jwe_text_to_json(texts[i], &json), -EBADMSG);
		assert_null(json);
	}
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		CLEANUP_JSON json_t *json = json_loads(objects[i], JSON_DECODE_ANY, NULL);
		char *text = NULL;

		expect(objects[i], jwe_text_to_compact(json, &text), -EBADMSG);
		assert_null(text);
	}
}

static void test_header(void **state)
{
	CLEANUP_JSON json_t *header = NULL;
	json_t *none = NULL;

	(void)state;
	assert_int_equal(jwe_text_header(COMPACT, &header), 0);
	assert_string_equal(js_str(header, "alg"), "x");
	assert_int_equal(jwe_text_header("e!..a.b.c", &none), -EBADMSG);
	assert_int_equal(jwe_text_header("", &none), -EBADMSG);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_newlines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
