/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --list says of a header, as JSON. */
#include "enroll/verbs.h"

#include "tests/unit/capture.h"
#include "tests/unit/opened.h"

static struct opened o;
static struct output out;

static int begin(void **state)
{
	(void)state;
	opened_begin(&o);
	add_token(o.luks, 2, "{\"type\":\"cotter-local\",\"keyslots\":[]}");
	return luks_setup(false, NULL);
}

static int end(void **state)
{
	(void)state;
	opened_end(&o);
	return 0;
}

static int begin_output(void **state)
{
	(void)state;
	out = (struct output){0};
	return output_init(&out);
}

static int end_output(void **state)
{
	(void)state;
	output_done(&out);
	return 0;
}

static void expect_member(const char *name, const char *text)
{
	CLEANUP_JSON json_t *want = json_of(text);
	char *got = NULL;

	if (json_equal(json_object_get(out.json, name), want))
		return;
	assert_int_equal(js_dump(out.json, &got), 0);
	fail_msg("\"%s\" is not %s in %s", name, text, got);
}

static void test_list(void **state)
{
	const struct options options = {.device = o.volume.path};
	struct print before, after;

	(void)state;
	add_keyslot(o.luks, 5, "secret");
	add_unbound_keyslot(o.luks, 9, "other");
	add_local(o.luks, 0, "{}", 1 << 5, "secret");
	add_local(o.luks, 1, "{}", 0, "orphan");
	add_token(o.luks, 3, "{\"type\":\"foreign\",\"keyslots\":[\"5\",\"9\"]}");

	before = print_of(o.volume.path);
	assert_int_equal(verb_list(&options, &out), EXIT_CODE_OK);
	after = print_of(o.volume.path);
	assert_same_print(&before, &after);

	assert_string_equal(js_str(out.json, "uuid"), luks_uuid(o.luks));
	expect_member("keyslots", "[{\"keyslot\":0,\"state\":\"active\",\"tokens\":[]},"
				  "{\"keyslot\":5,\"state\":\"active\",\"tokens\":[0,3]},"
				  "{\"keyslot\":9,\"state\":\"unbound\",\"tokens\":[3]}]");
	expect_member(
		"tokens",
		"[{\"token\":0,\"type\":\"cotter-local\",\"keyslots\":[5],\"state\":\"ok\","
		"\"facts\":{\"place\":\"here\",\"key_names\":[\"one\",\"two\"]}},"
		"{\"token\":1,\"type\":\"cotter-local\",\"keyslots\":[],\"state\":\"orphaned\","
		"\"cause\":\"no keyslot belongs to it; --wipe-slot=orphaned removes it\","
		"\"facts\":{\"place\":\"here\",\"key_names\":[\"one\",\"two\"]}},"
		"{\"token\":2,\"type\":\"cotter-local\",\"keyslots\":[],\"state\":\"broken\","
		"\"cause\":\"the token's JWE is missing or malformed\"},"
		"{\"token\":3,\"type\":\"foreign\",\"keyslots\":[5,9],\"state\":\"foreign\"}]");
	assert_int_equal(json_array_size(out.errors), 0);
	assert_int_equal(local_decrypts, 0);
}

/* The label stands beside the facts, not among them. */
static void test_label(void **state)
{
	const struct options options = {.device = o.volume.path};
	char *text = local_token("{}", 5, "secret");
	CLEANUP_JSON json_t *json = json_of(text);
	const json_t *token;

	(void)state;
	free(text);
	change(json, "cotter.label", "\"the disk\"");
	change(json, "cotter.deadline", "60");
	assert_int_equal(js_dump(json, &text), 0);
	add_token(o.luks, 0, text);
	free(text);

	assert_int_equal(verb_list(&options, &out), EXIT_CODE_OK);
	token = json_array_get(json_object_get(out.json, "tokens"), 0);
	assert_string_equal(js_str(token, "label"), "the disk");
	assert_null(json_object_get(json_object_get(token, "facts"), "label"));
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(token, "facts"), "deadline")),
		60);
}

static void test_no_volume(void **state)
{
	const struct options options = {.device = "/nonexistent"};
	struct capture errors = capture_begin(STDERR_FILENO);
	enum exit_code code = verb_list(&options, &out);
	const char *text = capture_end(&errors);

	(void)state;
	assert_int_equal(code, EXIT_CODE_FAILED);
	assert_string_equal(text, "cotter-enroll: /nonexistent does not exist\n");
	assert_int_equal(json_array_size(out.errors), 1);
	assert_int_equal(json_object_size(out.json), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list, begin_output, end_output),
		cmocka_unit_test_setup_teardown(test_label, begin_output, end_output),
		cmocka_unit_test_setup_teardown(test_no_volume, begin_output, end_output),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
