/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trees of configurations: which are taken, in which order they are walked, what follows from them. */
#include "enroll/tree.h"

#include "tests/unit/lines.h"

static struct lines lines;

static void test_check(void **state)
{
	static const struct {
		const char *pin, *config, *words; /* NULL: it is taken */
	} cases[] = {
		{"tang", "{\"url\":\"a\"}", NULL},
		{"tpm2", "{}", NULL},
		{"sss", "{\"t\":1,\"pins\":{\"tpm2\":{}}}", NULL},
		{"sss", "{\"pins\":{\"tpm2\":[{},{}]}}", NULL},
		{"sss", "{\"t\":3,\"pins\":{\"tpm2\":[{},{}],\"sss\":{\"pins\":{\"tpm2\":{}}}}}",
		 NULL},

		{"tang", "{}", "the policy lacks the string \"url\""},
		{"tang", "{\"url\":1}", "the policy lacks the string \"url\""},
		{"tang", "{\"url\":\"a\",\"Thp\":\"x\"}",
		 "the policy has a member \"Thp\", which tang does not know"},
		{"tang", "{\"url\":\"a\",\"keys\":{},\"kid\":\"k\"}",
		 "the policy has a member \"keys\", which tang does not know"},
		{"tang", "[]", "the policy is not an object"},
		{"fido2", "{}", "the policy names a pin that is not known here"},
		{"sss", "[]", "the policy is not an object"},
		{"sss", "{}", "the policy names no \"pins\""},
		{"sss", "{\"pins\":{}}", "the policy names no \"pins\""},
		{"sss", "{\"pins\":[]}", "the policy names no \"pins\""},
		{"sss", "{\"t\":1,\"pins\":{\"tpm2\":{}},\"x\":1}",
		 "the policy has members other than \"t\" and \"pins\""},
		{"sss", "{\"pins\":{\"tpm2\":[]}}",
		 "the policy has an empty list for the pin tpm2"},
		{"sss", "{\"t\":0,\"pins\":{\"tpm2\":{}}}", "is not a number from 1 to 1"},
		{"sss", "{\"t\":3,\"pins\":{\"tpm2\":[{},{}]}}", "is not a number from 1 to 2"},
		{"sss", "{\"t\":\"1\",\"pins\":{\"tpm2\":{}}}", "is not a number from 1 to 1"},
		{"sss", "{\"t\":1.0,\"pins\":{\"tpm2\":{}}}", "is not a number from 1 to 1"},
		{"sss", "{\"pins\":{\"tpm2\":1}}", "the policy at pins.tpm2[0] is not an object"},
		{"sss", "{\"pins\":{\"tpm2\":[{},[]]}}",
		 "the policy at pins.tpm2[1] is not an object"},
		{"sss", "{\"pins\":{\"sss\":[{\"pins\":{\"tpm2\":{}}},{\"pins\":{\"null\":{}}}]}}",
		 "the policy at pins.sss[1].pins.null[0] names a pin that is not known here"},
		{"sss", "{\"pins\":{\"sss\":{\"t\":2,\"pins\":{\"tpm2\":{}}}}}",
		 "the policy at pins.sss[0] has a threshold \"t\" that is not a number from 1 to 1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *config = json_of(cases[i].config);

		expect(cases[i].config, tree_check(cases[i].pin, config, lines_begin(&lines)),
		       cases[i].words ? -EINVAL : 0);
		assert_told(cases[i].config, &lines, cases[i].words);
	}
}

/* Thresholds within each other, `depth` of them, around a lone leaf. */
static json_t *nested(unsigned depth)
{
	json_t *config = json_of("{}");

	for (unsigned i = 0; i < depth; i++)
		config = json_pack("{s:{s:o}}", "pins", i == 0 ? "tpm2" : "sss", config);
	return config;
}

static void test_check_limits(void **state)
{
	CLEANUP_JSON json_t *deep = nested(SSS_DEPTH_MAX), *deeper = nested(SSS_DEPTH_MAX + 1);
	CLEANUP_JSON json_t *wide = json_array(),
			    *config = json_pack("{s:{s:O}}", "pins", "tpm2", wide);

	(void)state;
	assert_int_equal(tree_check("sss", deep, lines_begin(&lines)), 0);
	assert_int_equal(tree_check("sss", deeper, lines_begin(&lines)), -EINVAL);
	assert_told("deeper", &lines, "nests thresholds more than 8 deep");

	for (size_t i = 0; i < SSS_SHARES_MAX; i++)
		assert_int_equal(json_array_append_new(wide, json_object()), 0);
	assert_int_equal(tree_check("sss", config, lines_begin(&lines)), 0);
	assert_int_equal(json_array_append_new(wide, json_object()), 0);
	assert_int_equal(tree_check("sss", config, lines_begin(&lines)), -EINVAL);
	assert_told("wider", &lines, "the policy has 65 parts, more than 64");
}

#define TREE                                                                                         \
	"{\"t\":2,\"pins\":{\"tang\":[{\"url\":\"a\"},{\"url\":\"b\"}],\"sss\":{\"pins\":{\"tpm2\":" \
	"{\"pcrs\":\"7\"},\"tang\":{\"url\":\"c\"}}},\"tpm2\":{\"pcr_ids\":\"1\",\"pin\":true}}}"

static int note(void *arg, const struct pin_options *of, json_t *config)
{
	char *text = arg;
	size_t n = strlen(text);
	const char *url = js_str(config, "url");

	(void)snprintf(text + n, 256 - n, "%s%s ", of->pin, url ? url : "");
	return url && strcmp(url, "stop") == 0 ? -EINTR : 0;
}

static void test_walk(void **state)
{
	CLEANUP_JSON json_t *tree = json_of(TREE), *leaf = json_of("{\"url\":\"stop\"}");
	char text[256] = "";

	(void)state;
	assert_int_equal(tree_each("sss", tree, note, text), 0);
	assert_string_equal(text, "tanga tangb tpm2 tangc tpm2 ");
	text[0] = '\0';
	assert_int_equal(tree_each("tang", leaf, note, text), -EINTR);
	assert_string_equal(text, "tangstop ");
	assert_int_equal(sss_threshold(tree), 2);
	assert_int_equal(sss_threshold(json_object_get(json_object_get(tree, "pins"), "sss")), 1);
}

static void test_traits(void **state)
{
	static const struct {
		const char *pin, *config;
		unsigned traits;
	} cases[] = {
		{"tang", "{\"url\":\"a\"}", PIN_TRAIT_LIVE},
		{"tang", "{\"url\":\"a\",\"adv\":\"f\"}", PIN_TRAIT_SAVED},
		{"tang", "{\"url\":\"a\",\"keys\":{},\"kid\":\"k\"}", PIN_TRAIT_SAVED},
		{"tpm2", "{}", 0},
		{"tpm2", "{\"pin\":true}", PIN_TRAIT_USER_PIN},
		{"tpm2", "{\"pin\":false,\"pcrs\":\"7\"}", 0},
		{"tpm2", "{\"pcrs\":\"7=00\"}", PIN_TRAIT_LATER},
		{"tpm2", "{\"pubkey\":\"k\"}", PIN_TRAIT_LATER},
		{"tpm2", "{\"pcr_ids\":\"7\",\"pcr_digest\":\"x\"}", PIN_TRAIT_LATER},
		{"sss", TREE, PIN_TRAIT_LIVE | PIN_TRAIT_USER_PIN},
		{"sss", "{\"pins\":{\"tang\":[{\"url\":\"a\"},{\"url\":\"b\",\"adv\":{}}]}}",
		 PIN_TRAIT_LIVE | PIN_TRAIT_SAVED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *config = json_of(cases[i].config);
		unsigned traits = UINT32_MAX;

		expect(cases[i].config, tree_traits(cases[i].pin, config, &traits), 0);
		expect(cases[i].config, (int)traits, (int)cases[i].traits);
	}
}

static void test_describe(void **state)
{
	static const struct {
		const char *pin, *config, *facts;
	} cases[] = {
		{"tang", "{\"url\":\"a\",\"thp\":\"x\"}", "{\"pin\":\"tang\",\"url\":\"a\"}"},
		{"tpm2", "{}", "{\"pin\":\"tpm2\",\"pcrs\":\"none\",\"user_pin\":\"no\"}"},
		{"tpm2", "{\"pcr_ids\":7,\"pubkey\":\"k\"}",
		 "{\"pin\":\"tpm2\",\"pcrs\":\"7\",\"user_pin\":\"no\",\"signed_pcrs\":\"11\"}"},
		{"tpm2", "{\"pcr_ids\":[7,\"8\"]}",
		 "{\"pin\":\"tpm2\",\"pcrs\":\"7,8\",\"user_pin\":\"no\"}"},
		{"sss", TREE,
		 "{\"pin\":\"sss\",\"threshold\":2,\"shares\":[{\"pin\":\"tang\",\"url\":\"a\"},{\"pin\":"
		 "\"tang\",\"url\":\"b\"},{\"pin\":\"sss\",\"threshold\":1,\"shares\":[{\"pin\":\"tpm2\","
		 "\"pcrs\":\"7\",\"user_pin\":\"no\"},{\"pin\":\"tang\",\"url\":\"c\"}]},{\"pin\":\"tpm2\","
		 "\"pcrs\":\"1\",\"user_pin\":\"yes\"}]}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *config = json_of(cases[i].config), *facts = NULL;
		CLEANUP_JSON json_t *want = json_of(cases[i].facts);

		expect(cases[i].config, tree_describe(cases[i].pin, config, &facts), 0);
		if (!json_equal(facts, want))
			fail_msg("%s is described otherwise", cases[i].config);
	}
}

/* Base64 within base64: each level takes a third more. */
static void test_size(void **state)
{
	size_t leaf, one, two;

	(void)state;
	for (unsigned depth = 0; depth < 4; depth++) {
		CLEANUP_JSON json_t *config = nested(depth), *deeper = nested(depth + 1);

		assert_int_equal(tree_size_min(depth ? "sss" : "tpm2", config, &one), 0);
		assert_int_equal(tree_size_min("sss", deeper, &two), 0);
		assert_in_range(two, one * 4 / 3, one * 4 / 3 + 400);
	}
	{
		CLEANUP_JSON json_t *many =
			json_of("{\"pins\":{\"tang\":[{},{},{},{},{},{},{},{},{},{}]}}");

		assert_int_equal(tree_size_min("tang", many, &leaf), 0);
		assert_int_equal(tree_size_min("sss", many, &two), 0);
		assert_in_range(two, 10 * leaf * 4 / 3, 10 * (leaf + 3) * 4 / 3 + 400);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),    cmocka_unit_test(test_check_limits),
		cmocka_unit_test(test_walk),     cmocka_unit_test(test_traits),
		cmocka_unit_test(test_describe), cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
