/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JSON walker for texts with secrets: members as they stand, and nothing that is no JSON. */
#include "crypto/scan.h"

#include "tests/unit/vectors/jose.h"

/* What a walk saw, as name=value; for each. */
struct seen {
	char text[256];
	int at_x; /* what to return at a member or element whose value is "x" */
};

static int note(void *arg, struct ref name, struct ref value)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->text);

	(void)snprintf(seen->text + len, sizeof(seen->text) - len, "%.*s=%.*s;", (int)name.n,
		       (const char *)name.p, (int)value.n, (const char *)value.p);
	return ref_equal(value, ref_str("\"x\"")) ? seen->at_x : 0;
}

/* Walks memory of just the text's size, so that a read past the end is seen. */
static int walk(struct ref text, bool object, struct seen *seen)
{
	CLEANUP(buf_done) struct buf exact = {0};

	assert_int_equal(buf_copy(&exact, text), 0);
	return object ? scan_object(buf_ref(&exact), note, seen)
		      : scan_array(buf_ref(&exact), note, seen);
}

static void test_members(void **state)
{
	static const struct {
		const char *text, *seen;
	} cases[] = {
		{"{}", ""},
		{" \t\r\n{ \n} ", ""},
		{"{\"a\":\"b\"}", "a=\"b\";"},
		{" { \"a\" : \"b\" , \"c\" : \"d\" } ", "a=\"b\";c=\"d\";"},
		{"{\"\":\"\"}", "=\"\";"},
		{"{\"n\":-1.5e+3,\"t\":true,\"z\":null}", "n=-1.5e+3;t=true;z=null;"},
		{"{\"o\":{\"k\":[1,{}]},\"k\":\"v\"}", "o={\"k\":[1,{}]};k=\"v\";"},
		{"{\"o\":{\"}\":\"]}\"},\"k\":1}", "o={\"}\":\"]}\"};k=1;"},
		{"{\"a\":\"\\\"}\",\"b\":\"\\\\\"}", "a=\"\\\"}\";b=\"\\\\\";"},
		{"{\"o\":{\"a\":\"\\\"}\"}}", "o={\"a\":\"\\\"}\"};"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seen seen = {0};

		expect(cases[i].text, walk(ref_str(cases[i].text), true, &seen), 0);
		assert_string_equal(seen.text, cases[i].seen);
	}
}

static void test_elements(void **state)
{
	static const struct {
		const char *text, *seen;
	} cases[] = {
		{"[]", ""},
		{" [ ] ", ""},
		{"[\"a\",1, {\"b\":[]} ,[[]]]", "=\"a\";=1;={\"b\":[]};=[[]];"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seen seen = {0};

		expect(cases[i].text, walk(ref_str(cases[i].text), false, &seen), 0);
		assert_string_equal(seen.text, cases[i].seen);
	}
}

static void test_malformed(void **state)
{
	static const struct {
		const char *text;
		bool object;
	} cases[] = {
		{"", true},
		{" ", true},
		{"[]", true},
		{"{}", false},
		{"\"a\"", true},
		{"null", true},
		{"{", true},
		{"}", true},
		{"{]", true},
		{"{}x", true},
		{"{}{}", true},
		{"x{}", true},
		{"{,}", true},
		{"{\"a\"}", true},
		{"{\"a\":}", true},
		{"{\"a\" \"b\"}", true},
		{"{\"a\":1,}", true},
		{"{\"a\":1 \"b\":2}", true},
		{"{\"a\":1", true},
		{"{\"a\":\"b", true},
		{"{\"a\":\"b\\", true},
		{"{\"a\":\"b\\\"}", true},
		{"{\"a\":[1}", true},
		{"{\"a\":[1}}", true},
		{"{\"a\":{\"b\":1]}", true},
		{"{\"a\":[", true},
		{"{\"a\":{\"b\":\"", true},
		{"{\"a\":\"\n\"}", true},
		{"{\"a\":[\"\n\"]}", true},
		{"{a:1}", true},
		{"{1:1}", true},
		{"{[]:1}", true},
		{"{'a':1}", true},
		{"{\"\\u0061\":1}", true},
		{"{\"a\":'b'}", true},
		{"{\"a\":,}", true},
		{"[1,]", false},
		{"[,1]", false},
		{"[1 2]", false},
		{"[", false},
		{"[1", false},
		{"[\"a\"", false},
		{"[]]", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seen seen = {0};

		expect(cases[i].text, walk(ref_str(cases[i].text), cases[i].object, &seen),
		       -EBADMSG);
	}
}

/* No beginning of a text passes for the whole. */
static void test_truncated(void **state)
{
	/* provokes: scan_object -EBADMSG scan_array -EBADMSG */
	static const char text[] = "{\"a\":\"b\\\"\",\"o\":{\"k\":[1,\"]\"]},\"n\":12}";

	(void)state;
	for (size_t n = 0; n < strlen(text); n++) {
		struct seen seen = {0};

		if (walk((struct ref){(const uint8_t *)text, n}, true, &seen) != -EBADMSG)
			fail_msg("the first %zu bytes were taken for the whole", n);
	}
}

static void test_nul_is_no_end(void **state)
{
	static const char inside[] = "{\"a\":\"b\0\"}", after[] = "{}\0";
	struct seen seen = {0};

	(void)state;
	expect("inside",
	       walk((struct ref){(const uint8_t *)inside, sizeof(inside) - 1}, true, &seen),
	       -EBADMSG);
	expect("after", walk((struct ref){(const uint8_t *)after, sizeof(after) - 1}, true, &seen),
	       -EBADMSG);
}

static void test_the_callback_ends_the_walk(void **state)
{
	struct seen seen = {.at_x = -EPROTO};

	(void)state;
	assert_int_equal(walk(ref_str("{\"a\":1,\"b\":\"x\",\"c\":2}"), true, &seen), -EPROTO);
	assert_string_equal(seen.text, "a=1;b=\"x\";");

	seen.text[0] = '\0';
	assert_int_equal(walk(ref_str("[\"x\",1]"), false, &seen), -EPROTO);
	assert_string_equal(seen.text, "=\"x\";");
}

static void test_string(void **state)
{
	static const char *const bad[] = {"",        "\"",          "1",          "null",    "{}",
					  "[\"a\"]", "\"\\u0061\"", "\"a\\\"b\"", "\"\\\\\""};
	struct ref got = {0};

	(void)state;
	assert_int_equal(scan_string(ref_str("\"text\""), &got), 0);
	assert_ref_is(got, "text");
	assert_int_equal(scan_string(ref_str("\"\""), &got), 0);
	assert_int_equal(got.n, 0);
	assert_non_null(got.p);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(&got, UNTOUCHED, sizeof(got));
		expect(bad[i], scan_string(ref_str(bad[i]), &got), -EBADMSG);
		assert_untouched(bad[i], &got, sizeof(got));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_nul_is_no_end),
		cmocka_unit_test(test_the_callback_ends_the_walk),
		cmocka_unit_test(test_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
