/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of a recovery: the lines of a failure, and the report of any. */
#include "token/report.h"

#include "tests/unit/leaf.h"

const struct pin *const pins[] = {&pin_near, &pin_far, &pin_asks, &pin_sss, NULL};

#define TREE                                                                                          \
	"{\"t\":2,\"pins\":{\"near\":{\"n\":0},\"far\":{\"n\":1},\"sss\":{\"t\":2,\"pins\":{\"far\":" \
	"[{\"n\":2},{\"n\":3}]}}}}"

static struct lines lines;

static int end(void **state)
{
	(void)state;
	memset(leaves, 0, sizeof(leaves));
	return 0;
}

/* Recovers by a token of this JWE; the job is the caller's. */
static int recover(const struct jwe *jwe, const char *user_pin, struct job *job)
{
	struct cot cot = {
		.pins = pins,
		.log = lines_begin(&lines),
		.user_pin = user_pin ? ref_str(user_pin) : (struct ref){0},
	};
	struct token token = {.pin = pin_find(pins, jwe->hdr), .jwe = *jwe, .deadline = 10};
	CLEANUP(buf_done) struct buf secret = {0};
	int r;

	r = token_recover_job(&cot, &token, 0, job, &secret);
	if (r == 0)
		assert_ref_is(buf_ref(&secret), "secret");
	cot_done(&cot);
	return r;
}

/* Takes the times out, which no test can foretell. */
static void forget_times(json_t *report)
{
	json_t *share;
	size_t i;

	assert_true(json_integer_value(json_object_get(report, "ms")) >= 0);
	assert_int_equal(json_object_del(report, "ms"), 0);
	json_array_foreach(json_object_get(report, "shares"), i, share)
		forget_times(share);
}

/* Lines and report of one recovery of the tree. */
static void check(const char *config, int want, const char *want_lines, const char *want_report)
{
	CLEANUP(jwe_done) struct jwe jwe = leaf_seal(config, "secret");
	CLEANUP(job_done) struct job job = {0};
	CLEANUP_JSON json_t *report = NULL, *wanted = json_of(want_report);
	char *text = NULL;

	expect(config, recover(&jwe, NULL, &job), want);
	if (strcmp(lines.errors, want_lines) != 0)
		fail_msg("told:\n%s\nnot:\n%s", lines.errors, want_lines);
	assert_int_equal(token_report(&job, &report), 0);
	forget_times(report);
	assert_int_equal(js_dump(report, &text), 0);
	if (!json_equal(report, wanted))
		fail_msg("reported:\n%s\nnot:\n%s", text, want_report);
	free(text);
}

static void test_success(void **state)
{
	(void)state;
	leaves[1].steps = UINT32_MAX;
	check(TREE, 0, "",
	      "{\"pin\":\"sss\",\"state\":\"recovered\",\"threshold\":2,\"shares\":["
	      "{\"pin\":\"near\",\"where\":\"leaf 0\",\"state\":\"recovered\"},"
	      "{\"pin\":\"far\",\"where\":\"leaf 1\",\"state\":\"not needed\"},"
	      "{\"pin\":\"sss\",\"state\":\"recovered\",\"threshold\":2,\"shares\":["
	      "{\"pin\":\"far\",\"where\":\"leaf 2\",\"state\":\"recovered\"},"
	      "{\"pin\":\"far\",\"where\":\"leaf 3\",\"state\":\"recovered\"}]}]}");
}

/* A line for each leaf with its way, and one for the whole. */
static void test_failure(void **state)
{
	(void)state;
	leaves[1].result = -ECONNREFUSED;
	leaves[2].result = -EKEYREJECTED;
	check(TREE, -ECONNREFUSED,
	      "share 1 of 3: near leaf 0: recovered\n"
	      "share 2 of 3: far leaf 1: it failed with 111\n"
	      "share 3 of 3, share 1 of 2: far leaf 2: it failed with 129\n"
	      "share 3 of 3, share 2 of 2: far leaf 3: recovered\n"
	      "sss: 1 of 2 needed parts was recovered\n",
	      "{\"pin\":\"sss\",\"state\":\"failed\",\"threshold\":2,"
	      "\"cause\":\"1 of 2 needed parts was recovered\",\"shares\":["
	      "{\"pin\":\"near\",\"where\":\"leaf 0\",\"state\":\"recovered\"},"
	      "{\"pin\":\"far\",\"where\":\"leaf 1\",\"state\":\"failed\","
	      "\"cause\":\"it failed with 111\"},"
	      "{\"pin\":\"sss\",\"state\":\"failed\",\"threshold\":2,"
	      "\"cause\":\"1 of 2 needed parts was recovered\",\"shares\":["
	      "{\"pin\":\"far\",\"where\":\"leaf 2\",\"state\":\"failed\","
	      "\"cause\":\"it failed with 129\"},"
	      "{\"pin\":\"far\",\"where\":\"leaf 3\",\"state\":\"recovered\"}]}]}");
}

/* A part of parts that were all had, and do not fit together, has a line of its own. */
static void test_corrupt_part(void **state)
{
	struct job shares[] = {
		{.pin = &pin_near, .where = "leaf 0"},
		{.pin = &pin_far, .where = "leaf 1"},
	};
	struct job parts[] = {
		{.pin = &pin_sss,
		 .result = -EBADMSG,
		 .why = "sss: the policy is corrupt",
		 .children = shares,
		 .n_children = ARRAY_SIZE(shares)},
		{.pin = &pin_asks, .result = -ENODEV, .why = "asks: it is not here"},
	};
	const struct job root = {
		.pin = &pin_sss,
		.result = -EBADMSG,
		.why = "sss: 0 of 1 needed parts were recovered",
		.children = parts,
		.n_children = ARRAY_SIZE(parts),
	};

	(void)state;
	report_failure(lines_begin(&lines), &root);
	assert_string_equal(lines.errors, "share 1 of 2, share 1 of 2: near leaf 0: recovered\n"
					  "share 1 of 2, share 2 of 2: far leaf 1: recovered\n"
					  "share 1 of 2: sss: the policy is corrupt\n"
					  "share 2 of 2: asks: it is not here\n"
					  "sss: 0 of 1 needed parts were recovered\n");
}

static void test_pin(void **state)
{
	static const char config[] =
		"{\"t\":2,\"pins\":{\"asks\":{\"n\":0},\"far\":{\"n\":1},\"near\":{\"n\":2}}}";
	CLEANUP(jwe_done) struct jwe jwe = leaf_seal(config, "secret");
	CLEANUP(job_done) struct job job = {0};

	(void)state;
	leaves[2].result = -ENODEV;
	check(config, -ENOANO, "",
	      "{\"pin\":\"sss\",\"state\":\"wants a PIN\",\"threshold\":2,"
	      "\"cause\":\"a PIN is wanted\",\"shares\":["
	      "{\"pin\":\"asks\",\"where\":\"leaf 0\",\"state\":\"wants a PIN\","
	      "\"cause\":\"it wants a PIN\"},"
	      "{\"pin\":\"far\",\"where\":\"leaf 1\",\"state\":\"recovered\"},"
	      "{\"pin\":\"near\",\"where\":\"leaf 2\",\"state\":\"failed\","
	      "\"cause\":\"it failed with 19\"}]}");

	/* that it was wrong is told */
	leaves[0].result = -ENOANO;
	assert_int_equal(recover(&jwe, "1234", &job), -ENOANO);
	assert_string_equal(lines.errors, "share 1 of 3: asks leaf 0: it failed with 55\n"
					  "share 2 of 3: far leaf 1: recovered\n"
					  "share 3 of 3: near leaf 2: it failed with 19\n"
					  "sss: a PIN is wanted\n");
}

static void test_not_needed_any_more(void **state)
{
	(void)state;
	leaves[0].result = -EPROTO;
	leaves[1].result = -EPROTO;
	leaves[2].steps = UINT32_MAX;
	check("{\"t\":2,\"pins\":{\"near\":[{\"n\":0},{\"n\":1}],\"far\":{\"n\":2}}}", -EPROTO,
	      "share 1 of 3: near leaf 0: it failed with 71\n"
	      "share 2 of 3: near leaf 1: it failed with 71\n"
	      "share 3 of 3: far: not needed\n"
	      "sss: 0 of 2 needed parts were recovered\n",
	      "{\"pin\":\"sss\",\"state\":\"failed\",\"threshold\":2,"
	      "\"cause\":\"0 of 2 needed parts were recovered\",\"shares\":["
	      "{\"pin\":\"near\",\"where\":\"leaf 0\",\"state\":\"failed\","
	      "\"cause\":\"it failed with 71\"},"
	      "{\"pin\":\"near\",\"where\":\"leaf 1\",\"state\":\"failed\","
	      "\"cause\":\"it failed with 71\"},"
	      "{\"pin\":\"far\",\"state\":\"not needed\"}]}");
}

/* A policy of one part is one too. */
static void test_one_share(void **state)
{
	(void)state;
	leaves[7].result = -EPROTO;
	check("{\"pins\":{\"near\":{\"n\":7}}}", -EPROTO,
	      "share 1 of 1: near leaf 7: it failed with 71\n"
	      "sss: 0 of 1 needed parts were recovered\n",
	      "{\"pin\":\"sss\",\"state\":\"failed\",\"threshold\":1,"
	      "\"cause\":\"0 of 1 needed parts were recovered\",\"shares\":["
	      "{\"pin\":\"near\",\"where\":\"leaf 7\",\"state\":\"failed\","
	      "\"cause\":\"it failed with 71\"}]}");
}

/* A share that is none, of which not even the pin is known. */
static void test_unreadable_share(void **state)
{
	CLEANUP(jwe_done) struct jwe jwe = leaf_seal(TREE, "secret");
	CLEANUP(job_done) struct job job = {0};
	CLEANUP_JSON json_t *report = NULL;
	const json_t *share;

	(void)state;
	assert_int_equal(
		json_array_set_new(
			json_object_get(json_object_get(json_object_get(jwe.hdr, "clevis"), "sss"),
					"jwe"),
			2, json_string("rubbish")),
		0);
	leaves[0].result = -EKEYREJECTED;
	assert_int_equal(recover(&jwe, NULL, &job), -EKEYREJECTED);
	assert_non_null(strstr(lines.errors, "share 3 of 3: unknown: its JWE is malformed\n"));
	assert_int_equal(token_report(&job, &report), 0);
	share = json_array_get(json_object_get(report, "shares"), 2);
	assert_string_equal(js_str(share, "pin"), "unknown");
	assert_string_equal(js_str(share, "state"), "failed");
	assert_string_equal(js_str(share, "cause"), "its JWE is malformed");
	assert_null(json_object_get(share, "where"));
}

/* A token of one leaf: one line, as the pin wrote it. */
static void test_lone_leaf(void **state)
{
	struct cot cot = {.pins = pins, .log = lines_begin(&lines)};
	CLEANUP_JSON json_t *cfg = json_of("{\"n\":4}"), *report = NULL;
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP(job_done) struct job job = {0};

	(void)state;
	assert_int_equal(pin_seal(&cot, "far", cfg, ref_str("secret"), &jwe), 0);
	leaves[4].result = -EHOSTUNREACH;
	assert_int_equal(recover(&jwe, NULL, &job), -EHOSTUNREACH);
	assert_string_equal(lines.errors, "leaf 4: it failed with 113\n");
	assert_int_equal(token_report(&job, &report), 0);
	assert_string_equal(js_str(report, "where"), "leaf 4");
	assert_true(json_is_integer(json_object_get(report, "ms")));
	assert_string_equal(js_str(report, "cause"), "it failed with 113");
	assert_null(json_object_get(report, "shares"));
	assert_null(json_object_get(report, "advertisement"));
}

/* What was surveyed is told, without whom it was asked. */
static void test_survey(void **state)
{
	static const char *const names[] = {"current", "changed", "untrusted", "unreachable"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct survey survey = {.state = (enum survey_state)i};
		struct job job = {.pin = &pin_far, .where = "leaf 1", .survey = &survey};
		CLEANUP_JSON json_t *report = NULL;

		if (i > 0)
			(void)snprintf(survey.why, sizeof(survey.why), "leaf 1 %s so", names[i]);
		assert_int_equal(token_report(&job, &report), 0);
		assert_string_equal(js_str(report, "advertisement"), names[i]);
		if (i == 0)
			assert_null(json_object_get(report, "advertisement_cause"));
		else
			assert_string_equal(js_str(report, "advertisement_cause"),
					    survey.why + strlen("leaf 1 "));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_success, end),
		cmocka_unit_test_teardown(test_failure, end),
		cmocka_unit_test_teardown(test_corrupt_part, end),
		cmocka_unit_test_teardown(test_pin, end),
		cmocka_unit_test_teardown(test_not_needed_any_more, end),
		cmocka_unit_test_teardown(test_one_share, end),
		cmocka_unit_test_teardown(test_unreadable_share, end),
		cmocka_unit_test_teardown(test_lone_leaf, end),
		cmocka_unit_test_teardown(test_survey, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
