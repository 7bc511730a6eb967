/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How bindings are judged: from what became of their parts, and what their servers advertise. */
#include "enroll/health.h"

#include "tests/unit/vectors/jose.h"

#include <errno.h>

enum { NOT_SURVEYED = -1, PARTS_MAX = 3 };

#define EARLY "{\"holds\":\"only before switch-root\",\"changed_pcrs\":[\"15 (sha256)\"]}"

static struct survey surveys[PARTS_MAX];

static void set_leaf(struct job *job, size_t i, int result, int survey)
{
	*job = (struct job){.result = result};
	if (survey == NOT_SURVEYED)
		return;
	surveys[i].state = (enum survey_state)survey;
	job->survey = &surveys[i];
}

/* A token of one leaf. */
static void test_leaf(void **state)
{
	static const struct {
		const char *what;
		int result, survey, trial;
		bool pin_given, early;
		enum health want;
		const char *name;
	} cases[] = {
		{"a TPM", 0, NOT_SURVEYED, TRIAL_OPENS, false, false, HEALTH_OK, "ok"},
		{"a server", 0, SURVEY_CURRENT, TRIAL_OPENS, false, false, HEALTH_OK, "ok"},
		{"other keys", 0, SURVEY_CHANGED, TRIAL_OPENS, false, false, HEALTH_DUE, "due"},
		{"another server", 0, SURVEY_UNTRUSTED, TRIAL_OPENS, false, false, HEALTH_FAILING,
		 "failing"},
		{"no word", 0, SURVEY_UNREACHABLE, TRIAL_OPENS, false, false, HEALTH_FAILING,
		 "failing"},
		{"opens nothing", 0, SURVEY_CURRENT, TRIAL_FAILS, false, false, HEALTH_FAILED,
		 "ok"},
		{"key lost", -EPROTO, SURVEY_CHANGED, TRIAL_FAILS, false, false, HEALTH_FAILED,
		 "failing"},
		{"away", -ETIMEDOUT, SURVEY_UNREACHABLE, TRIAL_AWAY, false, false, HEALTH_FAILED,
		 "failing"},
		{"PCRs", -EKEYREJECTED, NOT_SURVEYED, TRIAL_FAILS, false, false, HEALTH_FAILED,
		 "failing"},
		{"no PIN", -ENOANO, NOT_SURVEYED, TRIAL_AWAY, false, false, HEALTH_OK,
		 "wants a PIN"},
		{"wrong PIN", -ENOANO, NOT_SURVEYED, TRIAL_FAILS, true, false, HEALTH_FAILED,
		 "failing"},
		{"early", -EKEYREJECTED, NOT_SURVEYED, TRIAL_EARLY, false, true, HEALTH_OK,
		 "early"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct trial trial = {.asked = true,
				      .wants_pin = cases[i].result == -ENOANO,
				      .pin_given = cases[i].pin_given};
		CLEANUP_JSON json_t *report = json_object();
		CLEANUP_JSON json_t *facts = json_of(cases[i].early ? EARLY : "{}");

		trial.result = (unsigned)cases[i].trial;
		set_leaf(&trial.job, 0, cases[i].result, cases[i].survey);
		expect(cases[i].what, (int)health_judge(&trial, facts, report), (int)cases[i].want);
		assert_string_equal(js_str(report, "health"), cases[i].name);
	}
}

/* A policy is as well as its worst part, as long as it opens. */
static void test_policy(void **state)
{
	static const struct {
		const char *what;
		int root, trial;
		struct {
			int result, survey;
		} parts[PARTS_MAX];
		enum health want;
		const char *names;
	} cases[] = {
		{"all well",
		 0,
		 TRIAL_OPENS,
		 {{0, 0}, {0, 0}, {0, NOT_SURVEYED}},
		 HEALTH_OK,
		 "ok ok ok ok"},
		{"one due",
		 0,
		 TRIAL_OPENS,
		 {{0, 0}, {0, SURVEY_CHANGED}, {0, 0}},
		 HEALTH_DUE,
		 "due ok due ok"},
		{"one fails",
		 0,
		 TRIAL_OPENS,
		 {{-EPROTO, SURVEY_CHANGED}, {0, SURVEY_CHANGED}, {0, 0}},
		 HEALTH_FAILING,
		 "failing failing due ok"},
		{"one PIN is not needed",
		 0,
		 TRIAL_OPENS,
		 {{-ENOANO, NOT_SURVEYED}, {0, 0}, {0, 0}},
		 HEALTH_OK,
		 "ok wants a PIN ok ok"},
		{"a PIN is needed, a server has other keys",
		 -ENOANO,
		 TRIAL_AWAY,
		 {{-ENOANO, NOT_SURVEYED}, {0, SURVEY_CHANGED}, {0, 0}},
		 HEALTH_DUE,
		 "due wants a PIN due ok"},
		{"too many fail",
		 -EPROTO,
		 TRIAL_FAILS,
		 {{-EPROTO, 0}, {-EPROTO, 0}, {0, 0}},
		 HEALTH_FAILED,
		 "failing failing failing ok"},
		{"parts that do not fit",
		 -EBADMSG,
		 TRIAL_FAILS,
		 {{0, 0}, {0, 0}, {0, 0}},
		 HEALTH_FAILED,
		 "failing ok ok ok"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct job children[PARTS_MAX];
		struct trial trial = {.asked = true,
				      .wants_pin = cases[i].root == -ENOANO,
				      .job = {.result = cases[i].root,
					      .children = children,
					      .n_children = PARTS_MAX}};
		CLEANUP_JSON json_t *report = json_of("{\"shares\":[{},{},{}]}");
		char names[128] = "";
		size_t n;

		trial.result = (unsigned)cases[i].trial;
		for (size_t j = 0; j < PARTS_MAX; j++)
			set_leaf(&children[j], j, cases[i].parts[j].result,
				 cases[i].parts[j].survey);
		expect(cases[i].what, (int)health_judge(&trial, NULL, report), (int)cases[i].want);
		n = (size_t)snprintf(names, sizeof(names), "%s", js_str(report, "health"));
		for (size_t j = 0; j < PARTS_MAX; j++)
			n += (size_t)snprintf(
				names + n, sizeof(names) - n, " %s",
				js_str(json_array_get(json_object_get(report, "shares"), j),
				       "health"));
		assert_string_equal(names, cases[i].names);
	}
}

/* One that could not even be asked. */
static void test_not_asked(void **state)
{
	const struct trial trial = {.result = TRIAL_FAILS};

	(void)state;
	assert_int_equal(health_judge(&trial, NULL, NULL), HEALTH_FAILED);
	assert_string_equal(health_name(HEALTH_FAILED), "failed");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaf),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
