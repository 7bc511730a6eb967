/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Headers of policies: which are accepted, their limits, and what is said of them. */
#include "sss/policy.h"

#include "tests/unit/leaf.h"

static int end(void **state)
{
	(void)state;
	memset(leaves, 0, sizeof(leaves));
	return 0;
}

static const char tree[] =
	"{\"t\":2,\"pins\":{\"near\":{\"n\":0},\"far\":{\"n\":1},\"sss\":{\"pins\":"
	"{\"asks\":{\"n\":2}}}}}";

static void assert_checked(const char *what, const json_t *hdr, int want, const char *words)
{
	struct lines lines;

	expect(what, pin_sss.check(leaf_pins, hdr, lines_begin(&lines)), want);
	assert_told(what, &lines, words);
	expect(what, pin_sss.check(leaf_pins, hdr, NULL), want);
}

static void test_members(void **state)
{
	/* provokes: policy_read -EBADMSG */
	static const struct {
		const char *member, *value;
		int want;
		const char *words; /* NULL: accepted */
	} cases[] = {
		{"clevis.sss", NULL, -EBADMSG, "\"p\""},
		{"clevis.sss", "[]", -EBADMSG, "\"p\""},
		{"clevis.sss.p", NULL, -EBADMSG, "\"p\""},
		{"clevis.sss.p", "7", -EBADMSG, "\"p\""},
		{"clevis.sss.p", "\"!\"", -EBADMSG, "\"p\""},
		{"clevis.sss.p", "\"\"", -EBADMSG, "\"p\""},
		/* 31 and 33 bytes, an even number, a number too small */
		{"clevis.sss.p", "\"____________________________________________w\"", -EBADMSG,
		 "\"p\""},
		{"clevis.sss.p", "\"_________________________________________w\"", -EBADMSG,
		 "\"p\""},
		{"clevis.sss.p", "\"__________________________________________4\"", -EBADMSG,
		 "\"p\""},
		{"clevis.sss.p", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAc\"", -EBADMSG,
		 "\"p\""},
		{"clevis.sss.p", "\"__________________________________________8\"", 0, NULL},
		{"clevis.sss.t", NULL, -EBADMSG, "\"t\" is not a number from 1 to 3"},
		{"clevis.sss.t", "0", -EBADMSG, "\"t\" is not a number from 1 to 3"},
		{"clevis.sss.t", "-1", -EBADMSG, "\"t\" is not a number from 1 to 3"},
		{"clevis.sss.t", "4", -EBADMSG, "\"t\" is not a number from 1 to 3"},
		{"clevis.sss.t", "4294967297", -EBADMSG, "\"t\" is not a number from 1 to 3"},
		{"clevis.sss.t", "2.0", -EBADMSG, "\"t\" is not a number from 1 to 3"},
		{"clevis.sss.t", "\"2\"", -EBADMSG, "\"t\" is not a number from 1 to 3"},
		{"clevis.sss.t", "1", 0, NULL},
		{"clevis.sss.t", "3", 0, NULL},
		{"clevis.sss.jwe", NULL, -EBADMSG, "\"jwe\""},
		{"clevis.sss.jwe", "[]", -EBADMSG, "\"jwe\""},
		{"clevis.sss.jwe", "{}", -EBADMSG, "\"jwe\""},
		{"clevis.sss.jwe", "\"x\"", -EBADMSG, "\"jwe\""},
		{"clevis.sss.jwe", "[\"x\",\"y\",3]", -EBADMSG, "share 3 is not a compact JWE"},
		{"clevis.sss.jwe", "[\"x\",{},\"y\"]", -EBADMSG, "share 2 is not a compact JWE"},
		{"clevis.sss.jwe", "[\"x\",\"y\"]", -EBADMSG,
		 "0 of its 2 shares can be used here, and 2 are needed: share 1: its JWE is malformed"},
		{"clevis.sss.more", "1", 0, NULL},
	};
	CLEANUP(jwe_done) struct jwe jwe = leaf_seal(tree, "x");

	(void)state;
	assert_checked("as sealed", jwe.hdr, 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *hdr = json_deep_copy(jwe.hdr);

		change(hdr, cases[i].member, cases[i].value);
		assert_checked(cases[i].value ? cases[i].value : cases[i].member, hdr,
			       cases[i].want, cases[i].words);
	}
}

/* As many as are needed must be usable, at each level. */
static void test_usable_shares(void **state)
{
	static const struct {
		int check[3]; /* of the leaves */
		int want;
		const char *words;
	} cases[] = {
		{{0, 0, 0}, 0, NULL},
		{{-EBADMSG, 0, 0}, 0, NULL},
		{{0, -EBADMSG, 0}, 0, NULL},
		{{0, 0, -EBADMSG}, 0, NULL},
		{{-EOPNOTSUPP, -EBADMSG, 0},
		 -EOPNOTSUPP,
		 "sss: 1 of its 3 shares can be used here, and 2 are needed: share 1: the leaf is not"},
		{{0, -E2BIG, -EBADMSG}, -E2BIG, "share 2: the leaf is not usable"},
		{{-ENOMEM, 0, -EBADMSG}, -ENOMEM, "share 1: the leaf is not usable"},
	};
	CLEANUP(jwe_done) struct jwe jwe = leaf_seal(tree, "x");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t n = 0; n < 3; n++)
			leaves[n].check = cases[i].check[n];
		assert_checked("shares", jwe.hdr, cases[i].want, cases[i].words);
	}
}

/* `depth` thresholds within each other around one leaf. */
static void nested_config(char *ret, size_t size, unsigned depth)
{
	size_t n = 0;

	for (unsigned i = 1; i < depth; i++)
		n += (size_t)snprintf(ret + n, size - n, "{\"pins\":{\"sss\":");
	n += (size_t)snprintf(ret + n, size - n, "{\"pins\":{\"asks\":{\"n\":1}}}");
	for (unsigned i = 1; i < depth; i++)
		n += (size_t)snprintf(ret + n, size - n, "}}");
}

/* One more threshold around a JWE. */
static struct jwe wrap(const struct jwe *jwe)
{
	struct jwe outer = leaf_seal("{\"pins\":{\"near\":{\"n\":0}}}", "x");
	json_t *sss = json_object_get(json_object_get(outer.hdr, "clevis"), "sss");
	char *text = NULL;

	assert_int_equal(jwe_to_compact(jwe, &text), 0);
	assert_int_equal(json_array_set_new(json_object_get(sss, "jwe"), 0, json_string(text)), 0);
	free(text);
	return outer;
}

static void test_depth(void **state)
{
	char config[512];
	struct jwe jwe, outer;
	CLEANUP_JSON json_t *facts = json_object();

	(void)state;
	for (unsigned depth = 1; depth <= SSS_DEPTH_MAX; depth++) {
		nested_config(config, sizeof(config), depth);
		jwe = leaf_seal(config, "x");
		assert_checked(config, jwe.hdr, 0, NULL);
		assert_true(pin_sss.wants_pin(leaf_pins, jwe.hdr));
		if (depth < SSS_DEPTH_MAX)
			jwe_done(&jwe);
	}
	outer = wrap(&jwe);
	jwe_done(&jwe);
	assert_checked(
		"too deep", outer.hdr, -E2BIG,
		"share 1: share 1: share 1: share 1: share 1: share 1: share 1: share 1: sss: "
		"thresholds are nested more than 8 deep");

	/* what is out of reach asks for nothing, and is described as that */
	assert_false(pin_sss.wants_pin(leaf_pins, outer.hdr));
	assert_int_equal(pin_sss.describe(leaf_pins, outer.hdr, facts), 0);
	assert_non_null(
		strstr(js_str(json_array_get(json_object_get(facts, "shares"), 0), "unusable"),
		       "nested more than 8 deep"));
	jwe_done(&outer);
}

static void test_many_shares(void **state)
{
	/* provokes: policy_read -E2BIG */
	CLEANUP_JSON json_t *list = json_array(), *config = NULL;
	CLEANUP(jwe_done) struct jwe jwe = {0};
	json_t *shares;
	char *text = NULL;

	(void)state;
	for (int i = 0; i < SSS_SHARES_MAX; i++)
		assert_int_equal(json_array_append_new(list, json_pack("{s:i}", "n", i)), 0);
	config = json_pack("{s:i, s:{s:O}}", "t", SSS_SHARES_MAX, "pins", "near", list);
	assert_int_equal(js_dump(config, &text), 0);
	jwe = leaf_seal(text, "x");
	free(text);
	assert_checked("64 shares", jwe.hdr, 0, NULL);

	shares = json_object_get(json_object_get(json_object_get(jwe.hdr, "clevis"), "sss"), "jwe");
	assert_int_equal(json_array_size(shares), SSS_SHARES_MAX);
	assert_int_equal(json_array_append(shares, json_array_get(shares, 0)), 0);
	assert_checked("65 shares", jwe.hdr, -E2BIG, "more than 64 shares");
}

static void test_describe(void **state)
{
	CLEANUP(jwe_done) struct jwe jwe = leaf_seal(tree, "x");
	CLEANUP_JSON json_t *facts = json_object(), *want = NULL;
	json_t *shares =
		json_object_get(json_object_get(json_object_get(jwe.hdr, "clevis"), "sss"), "jwe");
	char *text = NULL;

	(void)state;
	leaves[1].check = -EOPNOTSUPP;
	assert_int_equal(json_array_append_new(shares, json_string("rubbish")), 0);
	/* {"alg":"dir","enc":"A256GCM","clevis":{"pin":"other"}} */
	assert_int_equal(
		json_array_append_new(
			shares,
			json_string("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwiY2xldmlzIjp7InBpbiI6"
				    "Im90aGVyIn19..AAAAAAAAAAAAAAAA..AAAAAAAAAAAAAAAAAAAAAA")),
		0);
	assert_int_equal(pin_sss.describe(leaf_pins, jwe.hdr, facts), 0);
	want = json_of(
		"{\"threshold\":2,\"shares\":["
		"{\"pin\":\"near\",\"leaf\":0,\"user_pin\":\"mine\"},"
		"{\"pin\":\"far\",\"unusable\":\"the leaf is not usable\"},"
		"{\"pin\":\"sss\",\"threshold\":1,\"shares\":["
		"{\"pin\":\"asks\",\"leaf\":2,\"user_pin\":\"mine\"}]},"
		"{\"pin\":\"unknown\",\"unusable\":\"its JWE is malformed\"},"
		"{\"pin\":\"other\",\"unusable\":\"the pin \\\"other\\\" is not supported here\"}"
		"]}");
	assert_int_equal(js_dump(facts, &text), 0);
	if (!json_equal(facts, want))
		fail_msg("described as %s", text);
	free(text);
}

static bool second_leaf(const struct pin *const *pins, const json_t *hdr)
{
	(void)pins;
	return leaf_of(hdr) == &leaves[1];
}

/* Where a pin cannot tell for all its headers, each is asked. */
static void test_some_use_network(void **state)
{
	struct pin pin_some = pin_near;
	const struct pin *const some[] = {&pin_some, &pin_sss, NULL};
	CLEANUP(jwe_done)
	struct jwe none = leaf_seal("{\"pins\":{\"near\":[{\"n\":0},{\"n\":2}]}}", "x");
	CLEANUP(jwe_done)
	struct jwe one = leaf_seal("{\"pins\":{\"near\":[{\"n\":0},{\"n\":1}]}}", "x");

	(void)state;
	pin_some.uses_network = second_leaf;
	assert_false(pin_sss.uses_network(some, none.hdr));
	assert_true(pin_sss.uses_network(some, one.hdr));
	assert_false(pin_sss.uses_network(leaf_pins, one.hdr));
}

static void test_what_leaves_need(void **state)
{
	static const struct {
		const char *config;
		bool pin, network;
	} cases[] = {
		{"{\"pins\":{\"near\":[{\"n\":0},{\"n\":1}]}}", false, false},
		{"{\"pins\":{\"near\":{\"n\":0},\"far\":{\"n\":1}}}", false, true},
		{"{\"pins\":{\"near\":{\"n\":0},\"asks\":{\"n\":1}}}", true, false},
		{"{\"pins\":{\"near\":{\"n\":0},\"sss\":{\"pins\":{\"far\":{\"n\":1}}}}}", false,
		 true},
		{"{\"pins\":{\"sss\":{\"pins\":{\"sss\":{\"pins\":{\"asks\":{\"n\":1},\"far\":{\"n\":2}"
		 "}}}}}}",
		 true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(jwe_done) struct jwe jwe = leaf_seal(cases[i].config, "x");

		expect(cases[i].config, pin_sss.wants_pin(leaf_pins, jwe.hdr), cases[i].pin);
		expect(cases[i].config, pin_sss.uses_network(leaf_pins, jwe.hdr), cases[i].network);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_members, end),
		cmocka_unit_test_teardown(test_usable_shares, end),
		cmocka_unit_test_teardown(test_depth, end),
		cmocka_unit_test_teardown(test_many_shares, end),
		cmocka_unit_test_teardown(test_describe, end),
		cmocka_unit_test_teardown(test_some_use_network, end),
		cmocka_unit_test_teardown(test_what_leaves_need, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
