/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Notes of changes that came to no end: written into tokens, read again, and taken out without a trace. */
#include "enroll/luks-unfinished.h"

#include "tests/unit/lines.h"

#define SECRET "what opens the keyslot that is to go"
#define BY     "what the token that bears the note recovers"

static const char token[] =
	"{\"type\":\"x\",\"keyslots\":[\"4\"],\"jwe\":{},\"cotter\":{\"label\":\"a\",\"new\":[1]}}";

static void expect_json(const char *text, const char *want)
{
	CLEANUP_JSON json_t *got = json_of(text), *json = json_of(want);

	assert_true(json_equal(got, json));
}

static void test_write_read(void **state)
{
	const struct luks_unfinished_note note = {3, 17, ref_str(SECRET), ref_str(BY), {"print"}};
	struct luks_print print = {0};
	CLEANUP(luks_unfinished_done) struct luks_unfinished read = {0};
	CLEANUP(buf_done) struct buf opened = {0};
	CLEANUP(buf_done) struct buf wrong = {0};
	char *text = NULL, *again = NULL;

	(void)state;
	assert_int_equal(luks_unfinished_write(token, &note, LUKS_ANY, &text), 0);
	assert_null(strstr(text, SECRET));
	assert_int_equal(luks_unfinished_read(text, &read), 0);
	assert_int_equal(read.token, 3);
	assert_int_equal(read.keyslot, 17);
	assert_true(read.sealed);
	assert_int_equal(luks_unfinished_open(&read, ref_str(BY), &opened, &print), 0);
	assert_true(ref_equal(buf_ref(&opened), ref_str(SECRET)));
	assert_memory_equal(&print, &note.print, sizeof(print));
	assert_int_equal(luks_unfinished_open(&read, ref_str(SECRET), &wrong, &print), -EBADMSG);

	assert_int_equal(luks_unfinished_write(text, NULL, LUKS_ANY, &again), 0);
	expect_json(again, token);
	free(again);
	free(text);
}

static void test_keyslot(void **state)
{
	char *text = NULL;

	(void)state;
	assert_int_equal(luks_unfinished_write("{\"keyslots\":[\"4\",\"5\"]}", NULL, 12, &text), 0);
	expect_json(text, "{\"keyslots\":[\"12\"]}");
	free(text);
}

/* A guessable secret seals nothing. */
static void test_not_sealed(void **state)
{
	static const struct {
		const char *secret, *by;
	} cases[] = {{NULL, BY}, {SECRET, "hunter2"}, {NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct luks_unfinished_note note = {.token = LUKS_ANY, .keyslot = 1};
		CLEANUP(luks_unfinished_done) struct luks_unfinished read = {0};
		CLEANUP(buf_done) struct buf opened = {0};
		struct luks_print print;
		char *text = NULL;

		if (cases[i].secret)
			note.secret = ref_str(cases[i].secret);
		if (cases[i].by)
			note.by = ref_str(cases[i].by);
		assert_int_equal(luks_unfinished_write("{}", &note, LUKS_ANY, &text), 0);
		expect_json(text, "{\"cotter\":{\"unfinished\":{\"keyslot\":1}}}");
		assert_int_equal(luks_unfinished_read(text, &read), 0);
		assert_int_equal(read.token, LUKS_ANY);
		assert_int_equal(luks_unfinished_open(&read, ref_str(BY), &opened, &print),
				 -ENOENT);
		free(text);
	}
}

static void test_not_understood(void **state)
{
	static const char *const texts[] = {
		"not JSON",
		"{}",
		"{\"cotter\":{}}",
		"{\"cotter\":[]}",
		"{\"cotter\":{\"unfinished\":{}}}",
		"{\"cotter\":{\"unfinished\":{\"keyslot\":32}}}",
		"{\"cotter\":{\"unfinished\":{\"keyslot\":-1}}}",
		"{\"cotter\":{\"unfinished\":{\"keyslot\":\"1\"}}}",
		"{\"cotter\":{\"unfinished\":{\"keyslot\":1,\"token\":32}}}",
		"{\"cotter\":{\"unfinished\":{\"keyslot\":1,\"token\":\"x\"}}}",
	};
	struct luks_unfinished read;
	char *text = NULL;

	(void)state;
	memset(&read, UNTOUCHED, sizeof(read));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		expect(texts[i], luks_unfinished_read(texts[i], &read), -ENOENT);
		assert_untouched(texts[i], &read, sizeof(read));
	}
	assert_int_equal(luks_unfinished_write("[]", NULL, LUKS_ANY, &text), -EBADMSG);
	assert_null(text);
}

/* What is no JWE counts for none. */
static void test_bad_secret(void **state)
{
	CLEANUP(luks_unfinished_done) struct luks_unfinished read = {0};

	(void)state;
	assert_int_equal(luks_unfinished_read("{\"cotter\":{\"unfinished\":{\"keyslot\":1,"
					      "\"secret\":\"a.b\"}}}",
					      &read),
			 0);
	assert_false(read.sealed);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_read), cmocka_unit_test(test_keyslot),
		cmocka_unit_test(test_not_sealed), cmocka_unit_test(test_not_understood),
		cmocka_unit_test(test_bad_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
