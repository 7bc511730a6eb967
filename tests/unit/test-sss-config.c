/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configurations of policies: thresholds, parts in the order of the shares, names of places. */
#include "sss/config.h"

#include "tests/unit/lines.h"

static void test_threshold(void **state)
{
	static const struct {
		const char *config;
		size_t t; /* 0: not one for two parts */
	} cases[] = {
		{"{}", 1},           {"{\"t\":1}", 1},   {"{\"t\":2}", 2},    {"{\"t\":3}", 0},
		{"{\"t\":0}", 0},    {"{\"t\":-1}", 0},  {"{\"t\":1.0}", 0},  {"{\"t\":\"1\"}", 0},
		{"{\"t\":null}", 0}, {"{\"t\":[1]}", 0}, {"{\"t\":true}", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *config = json_of(cases[i].config);
		bool ok = sss_threshold_ok(config, 2);

		expect(cases[i].config, ok, cases[i].t > 0);
		if (ok)
			assert_int_equal(sss_threshold(config), cases[i].t);
	}
}

static void test_parts(void **state)
{
	static const struct {
		const char *pin, *name;
		int mark;
	} want[] = {
		{"tang", "pins.tang[0]", 1},
		{"tang", "pins.tang[1]", 2},
		{"tpm2", "pins.tpm2[0]", 3},
		{"sss", "pins.sss[0]", 4},
	};
	CLEANUP_JSON json_t *config = json_of("{\"pins\":{\"tang\":[{\"m\":1},{\"m\":2}],"
					      "\"tpm2\":{\"m\":3},\"sss\":[{\"m\":4}]}}");
	CLEANUP_JSON json_t *parts = sss_parts(config);
	const struct sss_spot root = {.pin = "sss"};

	(void)state;
	assert_int_equal(json_array_size(parts), ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const json_t *part = json_array_get(parts, i);
		struct sss_spot spot = sss_part_spot(part, &root);
		char name[64];

		assert_string_equal(sss_part_pin(part), want[i].pin);
		assert_int_equal(json_integer_value(json_object_get(sss_part_config(part), "m")),
				 want[i].mark);
		sss_spot_name(&spot, name, sizeof(name));
		assert_string_equal(name, want[i].name);
		assert_int_equal(spot.depth, 1);
	}
}

/* Nothing is judged here: what is no configuration is handed on, what has no parts has none. */
static void test_parts_odd(void **state)
{
	static const struct {
		const char *config;
		size_t n;
	} cases[] = {
		{"{}", 0},
		{"[]", 0},
		{"{\"pins\":1}", 0},
		{"{\"pins\":{\"tang\":[]}}", 0},
		{"{\"pins\":{\"tang\":7,\"\":[null]}}", 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *config = json_of(cases[i].config);
		CLEANUP_JSON json_t *parts = sss_parts(config);

		assert_non_null(parts);
		expect(cases[i].config, (int)json_array_size(parts), (int)cases[i].n);
	}
}

static void test_spot_name(void **state)
{
	const struct sss_spot root = {.pin = "sss"};
	const struct sss_spot node = {.above = &root, .pin = "sss", .i = 3, .depth = 1};
	const struct sss_spot leaf = {.above = &node, .pin = "tang", .i = 12, .depth = 2};
	char name[64], small[12];

	(void)state;
	sss_spot_name(&root, name, sizeof(name));
	assert_string_equal(name, "");
	sss_spot_name(&leaf, name, sizeof(name));
	assert_string_equal(name, "pins.sss[3].pins.tang[12]");
	sss_spot_name(&leaf, small, sizeof(small));
	assert_string_equal(small, "pins.sss[3]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_parts_odd),
		cmocka_unit_test(test_spot_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
