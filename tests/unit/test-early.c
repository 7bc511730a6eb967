/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which failed policies hold before switch-root. */
#include "enroll/early.h"

#include "tests/unit/vectors/jose.h"

#include <errno.h>

#define LEAF(rest) "{\"pin\":\"tpm2\"" rest "}"
#define HOLDS      ",\"holds\":\"only before switch-root\""
#define CHANGED(x) ",\"changed_pcrs\":[" x "]"
#define PCR7       "\"7 (sha256, secure-boot-policy)\""
#define PCR15      "\"15 (sha256, system-identity)\""
#define PCR1       "\"1 (sha256, platform-config)\""
#define EARLY      LEAF(HOLDS CHANGED(PCR15))

static void test_leaf(void **state)
{
	static const struct {
		const char *facts;
		int result;
		bool early;
	} cases[] = {
		{EARLY, -EKEYREJECTED, true},
		{EARLY, 0, false},
		{LEAF(HOLDS), -EKEYREJECTED,
		 false}, /* its PCRs are right: something else is wrong */
		{LEAF(HOLDS CHANGED(PCR7)), -EKEYREJECTED, false},
		{LEAF(HOLDS CHANGED(PCR1)), -EKEYREJECTED, false},
		{LEAF(HOLDS CHANGED(PCR7 "," PCR15)), -EKEYREJECTED, false},
		{LEAF(HOLDS CHANGED(PCR15 "," PCR15)), -EKEYREJECTED, false},
		{LEAF(CHANGED(PCR15)), -EKEYREJECTED, false}, /* bound to some other value of it */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *facts = json_of(cases[i].facts);
		const struct job job = {.result = cases[i].result};

		expect(cases[i].facts, early(facts, &job), cases[i].early);
	}
	assert_false(early(NULL, &(struct job){.result = -EKEYREJECTED}));
}

/* An early leaf, a server and another TPM. */
static void test_policy(void **state)
{
	static const struct {
		int t, results[3];
		bool early;
	} cases[] = {
		{1, {-EKEYREJECTED, -ETIMEDOUT, -ENODEV}, true},
		{2, {-EKEYREJECTED, 0, -ENODEV}, true},
		{2, {-EKEYREJECTED, -ETIMEDOUT, -ENODEV}, false},
		{3, {-EKEYREJECTED, 0, 0}, true},
		{1, {-EKEYREJECTED, 0, -ENODEV}, false}, /* enough came, so that is not it */
		{2, {-EKEYREJECTED, -EINPROGRESS, -ENODEV}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *facts = json_pack(
			"{s:s, s:i, s:[o, {s:s}, {s:s}]}", "pin", "sss", "threshold", cases[i].t,
			"shares", json_of(EARLY), "pin", "tang", "pin", "tpm2");
		struct job children[3] = {0},
			   job = {.result = -EPROTO, .children = children, .n_children = 3};

		for (size_t j = 0; j < 3; j++)
			children[j].result = cases[i].results[j];
		assert_int_equal(early(facts, &job), cases[i].early);
		job.n_children = 2;
		assert_false(early(facts, &job));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaf),
		cmocka_unit_test(test_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
