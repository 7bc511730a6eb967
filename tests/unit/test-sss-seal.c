/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sealing by a configuration: what is accepted, in which order, and what is said of the others. */
#include "sss/seal.h"

#include "tests/unit/leaf.h"

static struct lines lines;

static int seal_text(const char *config, struct jwe *ret)
{
	struct cot cot = {.pins = leaf_pins, .log = lines_begin(&lines)};
	CLEANUP_JSON json_t *cfg = json_of(config);
	int r;

	r = pin_seal(&cot, "sss", cfg, ref_str("x"), ret);
	assert_int_equal(cot.depth, 0);
	assert_ptr_equal(cot.log, &lines.log);
	return r;
}

static void test_refused(void **state)
{
	static const struct {
		const char *config, *words;
	} cases[] = {
		{"[]", "the policy is not an object"},
		{"{}", "the policy names no pins"},
		{"{\"t\":1}", "the policy names no pins"},
		{"{\"t\":1,\"pins\":{}}", "the policy names no pins"},
		{"{\"t\":1,\"pins\":[]}", "the policy names no pins"},
		{"{\"t\":1,\"pins\":{\"near\":[]}}", "the policy names no pins"},
		{"{\"t\":1,\"pins\":{\"far\":{\"n\":1},\"near\":[]}}",
		 "the policy at pins.near[0] is missing"},
		{"{\"t\":1,\"pins\":{\"near\":{\"n\":1}},\"x\":1}", "members other than"},
		{"{\"pins\":{\"near\":{\"n\":1}},\"x\":1}", "members other than"},
		{"{\"t\":0,\"pins\":{\"near\":{\"n\":1}}}", "a number from 1 to 1"},
		{"{\"t\":-1,\"pins\":{\"near\":{\"n\":1}}}", "a number from 1 to 1"},
		{"{\"t\":2,\"pins\":{\"near\":{\"n\":1}}}", "a number from 1 to 1"},
		{"{\"t\":4,\"pins\":{\"near\":{\"n\":1},\"far\":[{\"n\":1},{\"n\":2}]}}",
		 "a number from 1 to 3"},
		{"{\"t\":\"1\",\"pins\":{\"near\":{\"n\":1}}}", "a number from 1 to 1"},
		{"{\"t\":1.0,\"pins\":{\"near\":{\"n\":1}}}", "a number from 1 to 1"},
		{"{\"t\":null,\"pins\":{\"near\":{\"n\":1}}}", "a number from 1 to 1"},
		{"{\"pins\":{\"near\":7}}", "pins.near[0] is not an object"},
		{"{\"pins\":{\"near\":[{\"n\":1},\"x\"]}}", "pins.near[1] is not an object"},
		{"{\"pins\":{\"other\":{}}}",
		 "pins.other[0] names a pin that is not supported here"},
		{"{\"pins\":{\"\":{}}}", "pins.[0] names a pin that is not supported here"},
		{"{\"pins\":{\"near\":{\"n\":1},\"sss\":[{\"pins\":{\"near\":{\"n\":2}}},{\"t\":2,"
		 "\"pins\":{\"far\":{\"n\":3}}}]}}",
		 "the policy at pins.sss[1] has a threshold"},
		{"{\"pins\":{\"sss\":{\"pins\":{\"sss\":[{\"pins\":{\"far\":[{\"n\":1},[]]}}]}}}}",
		 "the policy at pins.sss[0].pins.sss[0].pins.far[1] is not an object"},
	};
	struct jwe jwe;

	(void)state;
	memset(&jwe, UNTOUCHED, sizeof(jwe));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		expect(cases[i].config, seal_text(cases[i].config, &jwe), -EINVAL);
		assert_told(cases[i].config, &lines, cases[i].words);
	}
	assert_untouched("sealing", &jwe, sizeof(jwe));
}

static void test_limits(void **state)
{
	char config[1024] = "";
	CLEANUP_JSON json_t *list = json_array(), *many = NULL;
	struct jwe jwe;
	char *text = NULL;

	(void)state;
	for (unsigned i = 0; i <= SSS_DEPTH_MAX; i++)
		(void)snprintf(config + strlen(config), sizeof(config) - strlen(config), "%s",
			       i < SSS_DEPTH_MAX ? "{\"pins\":{\"sss\":"
						 : "{\"pins\":{\"near\":{\"n\":1}}}");
	for (unsigned i = 0; i < SSS_DEPTH_MAX; i++)
		(void)snprintf(config + strlen(config), sizeof(config) - strlen(config), "}}");
	expect("deep", seal_text(config, &jwe), -EINVAL);
	assert_told("deep", &lines, "pins.sss[0] is nested too deep");

	for (int i = 0; i <= SSS_SHARES_MAX; i++)
		assert_int_equal(json_array_append_new(list, json_pack("{s:i}", "n", 1)), 0);
	many = json_pack("{s:{s:O}}", "pins", "near", list);
	assert_int_equal(js_dump(many, &text), 0);
	expect("many", seal_text(text, &jwe), -EINVAL);
	assert_told("many", &lines, "the policy has 65 parts, more than 64");
	free(text);
}

/* A part that cannot be sealed is named, wherever it is. */
static void test_part_fails(void **state)
{
	struct jwe jwe;

	(void)state;
	expect("part",
	       seal_text("{\"pins\":{\"near\":{\"n\":1},\"sss\":{\"pins\":{\"far\":[{\"n\":2},"
			 "{\"n\":\"x\"}]}}}}",
			 &jwe),
	       -EINVAL);
	assert_told("part", &lines, "share 2 (sss): share 2 (far): the leaf has no number");
}

static void assert_leaf(const json_t *shares, size_t i, const char *pin, int n)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	const json_t *clevis;

	assert_int_equal(jwe_from_json(json_array_get(shares, i), &jwe), 0);
	clevis = json_object_get(jwe.hdr, "clevis");
	assert_string_equal(js_str(clevis, "pin"), pin);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(clevis, pin), "n")), n);
}

/* Clevis's header, and the order of the configuration. */
static void test_header(void **state)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	const json_t *clevis, *sss, *shares;

	(void)state;
	assert_int_equal(
		seal_text("{\"t\":2,\"pins\":{\"near\":[{\"n\":5},{\"n\":3}],\"asks\":{\"n\":9},"
			  "\"far\":[{\"n\":4}]}}",
			  &jwe),
		0);
	assert_int_equal(json_object_size(jwe.hdr), 3);
	assert_string_equal(js_str(jwe.hdr, "alg"), "dir");
	assert_string_equal(js_str(jwe.hdr, "enc"), "A256GCM");
	clevis = json_object_get(jwe.hdr, "clevis");
	assert_int_equal(json_object_size(clevis), 2);
	assert_string_equal(js_str(clevis, "pin"), "sss");
	sss = json_object_get(clevis, "sss");
	assert_int_equal(json_object_size(sss), 3);
	assert_int_equal(json_integer_value(json_object_get(sss, "t")), 2);
	assert_string_equal(js_str(sss, "p"), "_________________________________________0M");
	shares = json_object_get(sss, "jwe");
	assert_int_equal(json_array_size(shares), 4);
	assert_leaf(shares, 0, "near", 5);
	assert_leaf(shares, 1, "near", 3);
	assert_leaf(shares, 2, "asks", 9);
	assert_leaf(shares, 3, "far", 4);
}

/* One by default, as with Clevis. */
static void test_default_threshold(void **state)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};

	(void)state;
	assert_int_equal(seal_text("{\"pins\":{\"near\":[{\"n\":0},{\"n\":1}]}}", &jwe), 0);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(json_object_get(jwe.hdr, "clevis"), "sss"), "t")),
			 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),           cmocka_unit_test(test_limits),
		cmocka_unit_test(test_part_fails),        cmocka_unit_test(test_header),
		cmocka_unit_test(test_default_threshold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
