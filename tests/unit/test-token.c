/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The token JSON: what is read, what is refused, and what is written. */
#include "tests/unit/local.h"

#include "crypto/b64.h"

#define SECRET "the secret of this test"

static const struct pin pin_other = {
	.name = "other",
	.check = local_check,
	.encrypt = local_encrypt,
	.decrypt = local_decrypt,
	.describe = local_describe,
	.release = local_release,
};

const struct pin *const pins[] = {&pin_local, &pin_other, NULL};

/* Parses from memory of just the text's size. A failure is one line and leaves `ret` alone. */
static int parse(const char *what, struct ref text, struct lines *lines, struct token *ret)
{
	CLEANUP(buf_done) struct buf exact = {0};
	struct token token;
	int r;

	memset(&token, UNTOUCHED, sizeof(token));
	assert_int_equal(buf_copy(&exact, text), 0);
	r = token_parse(buf_ref(&exact), lines_begin(lines), &token);
	if (r == 0) {
		assert_told(what, lines, NULL);
		*ret = token;
	} else {
		assert_untouched(what, &token, sizeof(token));
		assert_told(what, lines, "");
	}
	return r;
}

static int parse_json(const char *what, const json_t *json, struct lines *lines, struct token *ret)
{
	char *text = NULL;
	int r;

	assert_int_equal(js_dump(json, &text), 0);
	r = parse(what, ref_str(text), lines, ret);
	free(text);
	return r;
}

static json_t *good_token(void)
{
	char *text = local_token("{}", 1, SECRET);
	json_t *json = json_of(text);

	free(text);
	return json;
}

static void test_round_trip(void **state)
{
	static const struct {
		const char *label;
		unsigned deadline;
		size_t n_keyslots;
	} cases[] = {
		{NULL, TOKEN_DEADLINE_DEFAULT, 1},
		{"the disk", TOKEN_DEADLINE_DEFAULT, 1},
		{"Plattenschl\xc3\xbcssel", 1, 0},
		{"x", TOKEN_DEADLINE_MAX, TOKEN_KEYSLOTS_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *json = good_token();
		CLEANUP(token_done) struct token token = {0};
		CLEANUP(token_done) struct token again = {0};
		struct lines lines;
		char *text = NULL;

		assert_int_equal(parse_json("good", json, &lines, &token), 0);
		token.label = cases[i].label ? strdup(cases[i].label) : NULL;
		token.deadline = cases[i].deadline;
		token.n_keyslots = cases[i].n_keyslots;
		for (unsigned slot = 0; slot < token.n_keyslots; slot++)
			token.keyslots[slot] = TOKEN_KEYSLOTS_MAX - 1 - slot;

		assert_int_equal(token_format(&token, &text), 0);
		expect(text, parse(text, ref_str(text), &lines, &again), 0);
		assert_ptr_equal(again.pin, &pin_local);
		assert_int_equal(again.deadline, token.deadline);
		assert_int_equal(again.n_keyslots, token.n_keyslots);
		assert_memory_equal(again.keyslots, token.keyslots,
				    token.n_keyslots * sizeof(token.keyslots[0]));
		assert_string_equal(again.jwe.prot, token.jwe.prot);
		if (token.label)
			assert_string_equal(again.label, token.label);
		else
			assert_null(again.label);
		free(text);
	}
}

/* All of it may be known to anyone, and nothing but what is needed is there. */
static void test_written(void **state)
{
	CLEANUP_JSON json_t *json = good_token();
	CLEANUP_JSON json_t *want =
		json_pack("{s:s, s:[s], s:{s:i}, s:O}", "type", "cotter-local", "keyslots", "1",
			  "cotter", "version", TOKEN_VERSION, "jwe", json_object_get(json, "jwe"));
	static const char *const members[] = {"protected", "encrypted_key", "iv", "ciphertext",
					      "tag"};
	const json_t *jwe = json_object_get(json, "jwe");
	char *text = local_token("{}", 1, SECRET);

	(void)state;
	assert_true(json_equal(json, want));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		assert_non_null(js_str(jwe, members[i]));
	assert_int_equal(json_object_size(jwe), ARRAY_SIZE(members));
	assert_null(strstr(text, SECRET));
	free(text);
}

/* One change to a good token; `words`, where not NULL, are in the line about it. */
struct one_change {
	const char *path, *value;
	int want;
	const char *words;
};

static void run_changes(const struct one_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP_JSON json_t *json = good_token();
		CLEANUP(token_done) struct token token = {0};
		struct lines lines;
		char what[256];

		(void)snprintf(what, sizeof(what), "%s: %.180s", changes[i].path,
			       changes[i].value ? changes[i].value : "missing");
		change(json, changes[i].path, changes[i].value);
		expect(what, parse_json(what, json, &lines, &token), changes[i].want);
		if (changes[i].words)
			assert_told(what, &lines, changes[i].words);
	}
}

/* Clevis's type is for whatever pin the JWE has. */
static void test_type_of_clevis(void **state)
{
	CLEANUP_JSON json_t *json = good_token();
	struct token token = {0};
	struct lines lines;

	(void)state;
	assert_int_equal(json_object_set_new(json, "type", json_string("clevis")), 0);
	assert_int_equal(parse_json("clevis", json, &lines, &token), 0);
	assert_ptr_equal(token.pin, &pin_local);
	token_done(&token);
	assert_null(token_type_pin("clevis"));
}

static void test_type(void **state)
{
	static const char *const foreign[] = {
		"",
		"local",
		"systemd-tpm2",
		"luks2-keyring",
		"cotter-",
		"cotter-local ",
		"cotter-unknown",
		"Cotter-local",
		"cotter-localx",
		"cotter",
		"cotter-cotter-",
		"cotter-loca",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		CLEANUP_JSON json_t *json = good_token();
		struct lines lines;
		struct token token;

		assert_null(token_type_pin(foreign[i]));
		assert_int_equal(json_object_set_new(json, "type", json_string(foreign[i])), 0);
		expect(foreign[i], parse_json(foreign[i], json, &lines, &token), -EOPNOTSUPP);
		assert_told(foreign[i], &lines, "type");
	}
	assert_ptr_equal(token_type_pin("cotter-local"), &pin_local);
	assert_ptr_equal(token_type_pin("cotter-other"), &pin_other);

	for (int i = 0; i < 3; i++) {
		static const char *const values[] = {NULL, "1", "[\"cotter-local\"]"};
		CLEANUP_JSON json_t *json = good_token();
		struct lines lines;
		struct token token;

		change(json, "type", values[i]);
		expect_refused("type", parse_json("type", json, &lines, &token));
	}
}

static void test_keyslots(void **state)
{
	/* provokes: token_parse -EBADMSG */
	static const struct one_change changes[] = {
		{"keyslots", "[]", 0, NULL},
		{"keyslots", "[\"0\",\"31\"]", 0, NULL},
		{"keyslots", NULL, -EBADMSG, "keyslots"},
		{"keyslots", "{}", -EBADMSG, "keyslots"},
		{"keyslots", "\"1\"", -EBADMSG, "keyslots"},
		{"keyslots", "1", -EBADMSG, "keyslots"},
		{"keyslots", "[1]", -EBADMSG, "keyslots"},
		{"keyslots", "[null]", -EBADMSG, "keyslots"},
		{"keyslots", "[\"\"]", -EBADMSG, "keyslots"},
		{"keyslots", "[\"x\"]", -EBADMSG, "keyslots"},
		{"keyslots", "[\"1x\"]", -EBADMSG, "keyslots"},
		{"keyslots", "[\" 1\"]", -EBADMSG, "keyslots"},
		{"keyslots", "[\"+1\"]", -EBADMSG, "keyslots"},
		{"keyslots", "[\"-1\"]", -EBADMSG, "keyslots"},
		{"keyslots", "[\"32\"]", -EBADMSG, "keyslots"},
		{"keyslots", "[\"4294967297\"]", -EBADMSG, "keyslots"},
		{"keyslots", "[\"99999999999999999999\"]", -EBADMSG, "keyslots"},
		{"keyslots",
		 "[\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\","
		 "\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\","
		 "\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\"]",
		 -EBADMSG, "keyslots"},
	};

	(void)state;
	run_changes(changes, ARRAY_SIZE(changes));
}

static void test_extras(void **state)
{
	/* provokes: token_parse -EOPNOTSUPP */
	static const struct one_change changes[] = {
		{"cotter", NULL, 0, NULL},
		{"cotter", "{}", 0, NULL},
		{"cotter", "null", -EBADMSG, "cotter"},
		{"cotter", "[]", -EBADMSG, "cotter"},
		{"cotter", "\"1\"", -EBADMSG, "cotter"},
		{"cotter.version", "2", -EOPNOTSUPP, "newer"},
		{"cotter.version", "9223372036854775807", -EOPNOTSUPP, "newer"},
		{"cotter.version", "0", -EBADMSG, "version"},
		{"cotter.version", "-1", -EBADMSG, "version"},
		{"cotter.version", "1.5", -EBADMSG, "version"},
		{"cotter.version", "\"1\"", -EBADMSG, "version"},
		{"cotter.version", "null", -EBADMSG, "version"},
		{"cotter.label", "\"the disk\"", 0, NULL},
		{"cotter.label", "\"\"", -EBADMSG, "label"},
		{"cotter.label", "1", -EBADMSG, "label"},
		{"cotter.label", "null", -EBADMSG, "label"},
		{"cotter.label", "[\"x\"]", -EBADMSG, "label"},
		{"cotter.label", "\"two\\nlines\"", -EBADMSG, "label"},
		{"cotter.label", "\"\\u001b[31m\"", -EBADMSG, "label"},
		{"cotter.label", "\"\\u007f\"", -EBADMSG, "label"},
		{"cotter.deadline", "\"15\"", -EBADMSG, "deadline"},
		{"cotter.deadline", "1.5", -EBADMSG, "deadline"},
		{"cotter.deadline", "null", -EBADMSG, "deadline"},
		{"cotter.deadline", "true", -EBADMSG, "deadline"},
	};

	(void)state;
	run_changes(changes, ARRAY_SIZE(changes));
}

static void test_deadline(void **state)
{
	static const struct {
		json_int_t written;
		unsigned want;
	} cases[] = {
		{1, 1},  {15, 15},     {299, 299},       {300, 300},     {301, 300},        {0, 1},
		{-1, 1}, {86400, 300}, {INT64_MAX, 300}, {INT64_MIN, 1}, {4294967297, 300},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *json = good_token();
		CLEANUP(token_done) struct token token = {0};
		struct lines lines;

		assert_int_equal(json_object_set_new(json_object_get(json, "cotter"), "deadline",
						     json_integer(cases[i].written)),
				 0);
		expect("deadline", parse_json("deadline", json, &lines, &token), 0);
		assert_int_equal(token.deadline, cases[i].want);
	}
}

static void test_label_ok(void **state)
{
	char label[TOKEN_LABEL_MAX + 2];

	(void)state;
	memset(label, 'x', sizeof(label));
	label[TOKEN_LABEL_MAX + 1] = '\0';
	assert_false(token_label_ok(label));
	label[TOKEN_LABEL_MAX] = '\0';
	assert_true(token_label_ok(label));
	assert_true(token_label_ok("x"));
	assert_true(token_label_ok("a \"label\" \xe2\x98\x83"));
	assert_false(token_label_ok(""));
	assert_false(token_label_ok("tab\there"));
	assert_false(token_label_ok("\x1f"));
	assert_false(token_label_ok("\x7f"));
}

static void test_texts(void **state)
{
	/* provokes: token_parse -E2BIG */
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{"", -EBADMSG},
		{"{", -EBADMSG},
		{"[]", -EBADMSG},
		{"token", -EBADMSG},
		{"{\"type\":\"cotter-local\",\"type\":\"cotter-local\"}", -EBADMSG},
		{"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", -E2BIG},
	};
	char *text = local_token("{}", 1, SECRET);
	struct lines lines;
	struct token token;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect(cases[i].text, parse(cases[i].text, ref_str(cases[i].text), &lines, &token),
		       cases[i].want);
	for (size_t n = 0; n < strlen(text); n++)
		expect("truncated",
		       parse("truncated", (struct ref){(uint8_t *)text, n}, &lines, &token),
		       -EBADMSG);
	free(text);
}

static void test_new_secret(void **state)
{
	CLEANUP(buf_done) struct buf first = {0};
	CLEANUP(buf_done) struct buf second = {0};
	CLEANUP(buf_done) struct buf bytes = {0};

	(void)state;
	assert_int_equal(token_new_secret(&first), 0);
	assert_int_equal(token_new_secret(&second), 0);
	assert_int_equal(first.n, 43);
	assert_int_equal(second.n, 43);
	assert_false(ref_equal(buf_ref(&first), buf_ref(&second)));
	assert_int_equal(b64_decode(buf_ref(&first), &bytes), 0);
	assert_int_equal(bytes.n, TOKEN_SECRET_SIZE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_written),
		cmocka_unit_test(test_type_of_clevis), cmocka_unit_test(test_type),
		cmocka_unit_test(test_keyslots),       cmocka_unit_test(test_extras),
		cmocka_unit_test(test_deadline),       cmocka_unit_test(test_label_ok),
		cmocka_unit_test(test_texts),          cmocka_unit_test(test_new_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
