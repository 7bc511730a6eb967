/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which recoveries that failed leave a binding unproven, and which refuse it. */
#include "enroll/excuse.h"

#include "tests/unit/vectors/jose.h"

#include <errno.h>

enum { OPEN = -EINPROGRESS };

#define LIVE  "{\"url\":\"a\"}"
#define SAVED "{\"url\":\"a\",\"adv\":\"f\"}"
#define NOW   "{\"pcrs\":\"7\"}"
#define LATER "{\"pcrs\":\"7=00\"}"

static void test_leaf(void **state)
{
	static const struct {
		const char *pin, *config;
		int result;
		bool excused;
	} cases[] = {
		{"tang", LIVE, 0, false},
		{"tang", LIVE, -ETIMEDOUT, false},
		{"tang", LIVE, -EKEYREJECTED, false},
		{"tang", SAVED, 0, false},
		{"tang", SAVED, -ETIMEDOUT, true},
		{"tang", SAVED, -ECONNREFUSED, true},
		{"tang", SAVED, -EPROTO, false},
		{"tang", SAVED, -EKEYREJECTED, false},
		{"tpm2", NOW, -EKEYREJECTED, false},
		{"tpm2", LATER, -EKEYREJECTED, true},
		{"tpm2", LATER, -ENODEV, false},
		{"tpm2", LATER, -ENOANO, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *config = json_of(cases[i].config);
		const struct job job = {.result = cases[i].result};

		expect(cases[i].config, excused(cases[i].pin, config, &job), cases[i].excused);
	}
}

/* The same leaves in every policy: a live server, a saved one, a TPM for now and one for later. */
static void test_policy(void **state)
{
	static const struct {
		int t, results[4];
		bool excused;
	} cases[] = {
		{1, {-ETIMEDOUT, -ETIMEDOUT, -EKEYREJECTED, -EKEYREJECTED}, true},
		{2, {-ETIMEDOUT, -ETIMEDOUT, -EKEYREJECTED, -EKEYREJECTED}, true},
		{3, {-ETIMEDOUT, -ETIMEDOUT, -EKEYREJECTED, -EKEYREJECTED}, false},
		{3, {0, -ETIMEDOUT, -EKEYREJECTED, -EKEYREJECTED}, true},
		{3, {0, -EPROTO, -EKEYREJECTED, -EKEYREJECTED}, false},
		{3, {0, -EPROTO, 0, -EKEYREJECTED}, true},
		{4, {OPEN, OPEN, 0, -EKEYREJECTED}, true},
		{4, {OPEN, OPEN, -EKEYREJECTED, OPEN}, false},
		{2, {0, 0, OPEN, OPEN}, false}, /* enough came, so that is not it */
		{2, {0, OPEN, OPEN, OPEN}, true},
	};
	CLEANUP_JSON json_t *config =
		json_of("{\"pins\":{\"tang\":[" LIVE "," SAVED "],\"tpm2\":[" NOW "," LATER "]}}");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct job children[4] = {0},
			   job = {.result = -EPROTO, .children = children, .n_children = 4};
		char what[16];

		for (size_t n = 0; n < 4; n++)
			children[n].result = cases[i].results[n];
		assert_int_equal(json_object_set_new(config, "t", json_integer(cases[i].t)), 0);
		(void)snprintf(what, sizeof(what), "case %zu", i);
		expect(what, excused("sss", config, &job), cases[i].excused);
	}
}

static void test_nested(void **state)
{
	CLEANUP_JSON json_t *config =
		json_of("{\"t\":2,\"pins\":{\"tang\":" LIVE
			",\"sss\":{\"t\":2,\"pins\":{\"tang\":[" SAVED "," SAVED "]}}}}");
	struct job inner[2] = {{.result = -ETIMEDOUT}, {.result = OPEN}};
	struct job outer[2] = {{.result = 0},
			       {.result = -ETIMEDOUT, .children = inner, .n_children = 2}};
	struct job root = {.result = -ETIMEDOUT, .children = outer, .n_children = 2};

	(void)state;
	assert_true(excused("sss", config, &root));
	inner[1].result = -EBADMSG;
	assert_false(excused("sss", config, &root));
	inner[1].result = 0;
	assert_true(excused("sss", config, &root));
	outer[0].result = -ETIMEDOUT;
	assert_false(excused("sss", config, &root));

	/* One that did not even begin. */
	root.n_children = 0;
	assert_false(excused("sss", config, &root));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaf),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
