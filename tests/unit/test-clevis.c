/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clevis's tokens read as ours. */
#include "token/clevis.h"

#include "tests/unit/local.h"

#define SECRET "the secret of this test"

const struct pin *const pins[] = {&pin_local, NULL};

/* The token of ours with another type; a value of NULL leaves `member` out. */
static char *token_with(const char *member, const char *value)
{
	char *text = local_token("{}", 3, SECRET), *changed = NULL;
	json_t *json = json_of(text);

	free(text);
	assert_int_equal(json_object_set_new(json, "type", json_string("clevis")), 0);
	assert_int_equal(json_object_del(json, "cotter"), 0);
	if (member && value)
		assert_int_equal(
			json_object_set_new(json, member, json_loads(value, JSON_DECODE_ANY, NULL)),
			0);
	else if (member)
		assert_int_equal(json_object_del(json, member), 0);
	assert_int_equal(js_dump(json, &changed), 0);
	json_decref(json);
	return changed;
}

static void test_opens(void **state)
{
	CLEANUP(token_done) struct token token = {0};
	CLEANUP(free_text) char *text = token_with(NULL, NULL);
	struct lines lines;
	CLEANUP(cot_done) struct cot cot = {.pins = pins, .log = lines_begin(&lines)};
	CLEANUP(buf_done) struct buf secret = {0};

	(void)state;
	assert_int_equal(clevis_token_parse(ref_str(text), &lines.log, &token), 0);
	assert_int_equal(token.n_keyslots, 1);
	assert_int_equal(token.keyslots[0], 3);
	assert_ptr_equal(token.pin, &pin_local);
	assert_int_equal(token_recover(&cot, &token, 0, &secret), 0);
	assert_ref_is(buf_ref(&secret), SECRET);
	assert_int_equal(lines.n_errors, 0);
}

static void test_refused(void **state)
{
	static const struct {
		const char *member, *value;
		int want;
	} cases[] = {
		{"type", NULL, -EOPNOTSUPP},
		{"type", "1", -EOPNOTSUPP},
		{"type", "\"cotter-local\"", -EOPNOTSUPP},
		{"type", "\"clevis2\"", -EOPNOTSUPP},
		{"jwe", NULL, -EBADMSG},
		{"jwe", "{}", -EBADMSG},
		{"jwe", "\"a.b.c.d.e\"", -EBADMSG},
		{"keyslots", NULL, -EBADMSG},
		{"keyslots", "[1]", -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(free_text) char *text = token_with(cases[i].member, cases[i].value);
		struct token token = {0};
		struct lines lines;

		expect(cases[i].value,
		       clevis_token_parse(ref_str(text), lines_begin(&lines), &token),
		       cases[i].want);
		assert_int_equal(lines.n_errors, 1);
		assert_null(token.pin);
	}
}

static void test_no_json(void **state)
{
	struct token token = {0};
	struct lines lines;

	(void)state;
	assert_int_equal(clevis_token_parse(ref_str("{"), lines_begin(&lines), &token), -EBADMSG);
	assert_int_equal(lines.n_errors, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
