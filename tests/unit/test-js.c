/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON reading: its limits, what it refuses, and the two ways out. */
#include "crypto/js.h"

#include "tests/unit/vectors/jose.h"

/* Parses from memory of just the text's size; on failure `ret` must be as it was. */
static int load(struct ref text, json_t **ret)
{
	CLEANUP(buf_done) struct buf exact = {0};
	json_t *const untouched = (json_t *)&exact;
	json_t *value = untouched;
	int r;

	assert_int_equal(buf_copy(&exact, text), 0);
	r = js_load(buf_ref(&exact), &value);
	if (r < 0)
		assert_ptr_equal(value, untouched);
	else
		*ret = value;
	return r;
}

static void expect_load(const char *text, int want)
{
	CLEANUP_JSON json_t *value = NULL;

	expect(text, load(ref_str(text), &value), want);
	if (want == 0)
		assert_true(json_is_object(value));
}

static void test_load(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{"{}", 0},
		{" \t\r\n{\"a\":[1,-2.5e3,true,false,null,\"\\u00e4\\n\"],\"b\":{}}\n", 0},
		{"{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[{{{{{{{{{{\"}", 0},
		{"{\"a\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\":\"\\\\\"}", 0},
		{"", -EBADMSG},
		{" ", -EBADMSG},
		{"[]", -EBADMSG},
		{"[{}]", -EBADMSG},
		{"\"{}\"", -EBADMSG},
		{"1", -EBADMSG},
		{"null", -EBADMSG},
		{"{", -EBADMSG},
		{"}", -EBADMSG},
		{"}}}}{}", -EBADMSG},
		{"{]", -EBADMSG},
		{"{}x", -EBADMSG},
		{"{}{}", -EBADMSG},
		{"{\"a\"}", -EBADMSG},
		{"{\"a\":}", -EBADMSG},
		{"{\"a\":1,}", -EBADMSG},
		{"{'a':1}", -EBADMSG},
		{"{a:1}", -EBADMSG},
		{"{\"a\":01}", -EBADMSG},
		{"{\"a\":1e999}", -EBADMSG},
		{"{\"a\":NaN}", -EBADMSG},
		{"{\"a\":\"\n\"}", -EBADMSG},
		{"{\"a\":\"\\x\"}", -EBADMSG},
		{"{\"a\":\"\\ud800\"}", -EBADMSG},
		{"{\"a\":\"\xff\"}", -EBADMSG},
		{"{\"a\":\"\xc0\xaf\"}", -EBADMSG},
		{"{\"a\":\"\xed\xa0\x80\"}", -EBADMSG},
		{"\xef\xbb\xbf{}", -EBADMSG},
		{"{\"a\":\"", -EBADMSG},
		{"{\"a\":\"\\", -EBADMSG},
		{"{\"a\":1,\"a\":1}", -EBADMSG},
		{"{\"a\":1,\"\\u0061\":2}", -EBADMSG},
		{"{\"o\":{\"a\":1,\"b\":2,\"a\":3}}", -EBADMSG},
		{"{\"a\":\"x\\u0000y\"}", -EBADMSG},
		{"{\"x\\u0000y\":1}", -EBADMSG},
	};
	static const char nul[] = "{\"a\":1}\0";
	CLEANUP_JSON json_t *value = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_load(cases[i].text, cases[i].want);

	expect("a NUL after the text",
	       load((struct ref){(const uint8_t *)nul, sizeof(nul) - 1}, &value), -EBADMSG);
	expect("no text at all", js_load((struct ref){0}, &value), -EBADMSG);
}

/* An object in which `depth` arrays and objects are open at the deepest place, mixed. */
static void nest(size_t depth, bool closed, char *text)
{
	for (size_t i = 0; i < depth; i++) {
		memcpy(text, i % 2 ? "[" : "{\"a\":", i % 2 ? 1 : 5);
		text += i % 2 ? 1 : 5;
	}
	*text++ = '1';
	for (size_t i = depth; closed && i-- > 0;)
		*text++ = i % 2 ? ']' : '}';
	*text = '\0';
}

static void test_depth(void **state)
{
	/* provokes: js_load -E2BIG */
	char text[8 * (JS_DEPTH_MAX + 2)];

	(void)state;
	nest(JS_DEPTH_MAX, true, text);
	expect_load(text, 0);
	nest(JS_DEPTH_MAX + 1, true, text);
	expect_load(text, -E2BIG);
	nest(JS_DEPTH_MAX + 1, false, text);
	expect_load(text, -E2BIG);
	nest(JS_DEPTH_MAX, false, text);
	expect_load(text, -EBADMSG);
}

/* Depth is what is open at one place, not how many there are. */
static void test_width(void **state)
{
	CLEANUP_JSON json_t *value = NULL;
	CLEANUP(buf_done) struct buf text = {0};

	(void)state;
	assert_int_equal(buf_init(&text, 8192), 0);
	assert_int_equal(buf_append_str(&text, "{\"a\":[{}"), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_append_str(&text, ",[{}]"), 0);
	assert_int_equal(buf_append_str(&text, "]}"), 0);
	assert_int_equal(load(buf_ref(&text), &value), 0);
	assert_int_equal(json_array_size(json_object_get(value, "a")), 1001);
}

static int load_of_size(size_t size)
{
	static const char head[] = "{\"a\":\"", tail[] = "\"}";
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP_JSON json_t *value = NULL;

	assert_int_equal(buf_init(&text, size), 0);
	memset(text.p, 'x', size);
	memcpy(text.p, head, strlen(head));
	memcpy(text.p + size - strlen(tail), tail, strlen(tail));
	text.n = size;
	return load(buf_ref(&text), &value);
}

static void test_size(void **state)
{
	(void)state;
	assert_int_equal(load_of_size(JS_TEXT_MAX), 0);
	assert_int_equal(load_of_size(JS_TEXT_MAX + 1), -E2BIG);
	assert_int_equal(load_of_size(1024 * 1024), -E2BIG);
}

static void test_dump(void **state)
{
	CLEANUP_JSON json_t *value = json_of("{ \"b\" : [1, true, {\"y\":null,\"x\":\"/\"}], "
					     "\"a\" : \"\", \"B\":0 }");
	char *text = NULL;

	(void)state;
	assert_int_equal(js_dump(value, &text), 0);
	assert_string_equal(text, "{\"B\":0,\"a\":\"\",\"b\":[1,true,{\"x\":\"/\",\"y\":null}]}");
	free(text);
}

static void test_str(void **state)
{
	CLEANUP_JSON json_t *value =
		json_of("{\"s\":\"text\",\"e\":\"\",\"n\":1,\"o\":{},\"0\":null}");
	CLEANUP_JSON json_t *array = json_of("[\"s\"]");

	(void)state;
	assert_string_equal(js_str(value, "s"), "text");
	assert_string_equal(js_str(value, "e"), "");
	assert_null(js_str(value, "n"));
	assert_null(js_str(value, "o"));
	assert_null(js_str(value, "0"));
	assert_null(js_str(value, "missing"));
	assert_null(js_str(array, "s"));
	assert_null(js_str(NULL, "s"));
}

static void test_b64(void **state)
{
	CLEANUP_JSON json_t *value = json_of("{\"a\":\"Zm9v\",\"e\":\"\",\"n\":1,\"p\":\"Zg==\","
					     "\"bits\":\"Zh\",\"array\":[\"Zm9v\"]}");
	static const char *const bad[] = {"missing", "n", "p", "bits", "array"};
	static const struct buf untouched = {NULL, 7, 9};
	struct buf out = {0};

	(void)state;
	assert_int_equal(js_b64(value, "a", &out), 0);
	assert_ref_is(buf_ref(&out), "foo");
	buf_done(&out);
	assert_int_equal(js_b64(value, "e", &out), 0);
	assert_int_equal(out.n, 0);
	buf_done(&out);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		out = untouched;
		expect(bad[i], js_b64(value, bad[i], &out), -EBADMSG);
		assert_memory_equal(&out, &untouched, sizeof(out));
	}
}

static void test_from_b64(void **state)
{
	CLEANUP_JSON json_t *some =
		js_from_b64((struct ref){(const uint8_t *)"\xfb\xff\x00\x01", 4});
	CLEANUP_JSON json_t *none = js_from_b64((struct ref){0});

	(void)state;
	assert_string_equal(json_string_value(some), "-_8AAQ");
	assert_string_equal(json_string_value(none), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),  cmocka_unit_test(test_depth),
		cmocka_unit_test(test_width), cmocka_unit_test(test_size),
		cmocka_unit_test(test_dump),  cmocka_unit_test(test_str),
		cmocka_unit_test(test_b64),   cmocka_unit_test(test_from_b64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
