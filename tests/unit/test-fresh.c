/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fresh bindings in memory: what is sealed, what is kept of the token before, and what comes back. */
#include "enroll/fresh.h"

#include "tests/unit/opened.h"

#include <errno.h>

static struct lines lines;

static struct fresh_wish wish_of(const json_t *config, const json_t *extras)
{
	return (struct fresh_wish){
		.pin = "local",
		.config = config,
		.label = "rack 4",
		.deadline = 20,
		.extras = extras,
	};
}

static void test_seal(void **state)
{
	CLEANUP_JSON json_t *config = json_of("{\"a\":1}"), *json = NULL;
	CLEANUP(fresh_done) struct fresh fresh = {0};
	CLEANUP(fresh_done) struct fresh other = {0};
	const struct fresh_wish wish = wish_of(config, NULL);

	(void)state;
	assert_int_equal(fresh_seal(&wish, lines_begin(&lines), &fresh), 0);
	assert_int_equal(fresh.secret.n, 43);
	json = json_of(fresh.json);
	assert_string_equal(js_str(json, "type"), "cotter-local");
	assert_int_equal(json_array_size(json_object_get(json, "keyslots")), 0);
	assert_string_equal(js_str(json_object_get(json, "cotter"), "label"), "rack 4");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(json, "cotter"), "deadline")),
		20);
	assert_int_equal(fresh_try(&wish, &lines.log, &fresh), 0);
	assert_string_equal(fresh.unproven, "");

	assert_int_equal(fresh_seal(&wish, &lines.log, &other), 0);
	assert_false(ref_equal(buf_ref(&fresh.secret), buf_ref(&other.secret)));
	assert_told("sealing", &lines, NULL);
}

/* What is known comes from the wish, what is not from the token before, but for what is unfinished. */
static void test_extras(void **state)
{
	CLEANUP_JSON json_t *config = json_of("{}"), *json = NULL;
	CLEANUP_JSON json_t *extras = json_of(
		"{\"version\":1,\"label\":\"old\",\"later\":{\"a\":[1]},\"unfinished\":{\"keyslot\":1}}");
	CLEANUP_JSON json_t *want = json_of(
		"{\"version\":1,\"label\":\"rack 4\",\"deadline\":20,\"later\":{\"a\":[1]}}");
	CLEANUP(fresh_done) struct fresh fresh = {0};
	const struct fresh_wish wish = wish_of(config, extras);

	(void)state;
	assert_int_equal(fresh_seal(&wish, lines_begin(&lines), &fresh), 0);
	json = json_of(fresh.json);
	assert_true(json_equal(json_object_get(json, "cotter"), want));
	assert_non_null(json_object_get(extras, "unfinished"));
}

static void test_errors(void **state)
{
	CLEANUP_JSON json_t *config = json_of("{}");
	CLEANUP(fresh_done) struct fresh fresh = {0};
	struct fresh_wish wish = wish_of(config, NULL);

	(void)state;
	wish.pin = "unknown";
	assert_int_equal(fresh_seal(&wish, lines_begin(&lines), &fresh), -EOPNOTSUPP);
	assert_told("sealing", &lines, "the pin \"unknown\" is not supported here");
	assert_null(fresh.json);

	wish.pin = "local";
	assert_int_equal(fresh_seal(&wish, lines_begin(&lines), &fresh), 0);
	fresh.secret.p[0] ^= 1;
	assert_int_equal(fresh_try(&wish, &lines.log, &fresh), -EIO);
	assert_told("trying", &lines, "another secret came back than was sealed");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_extras),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
