/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which policies need the network, and what crypttab says of them. */
#include "enroll/marks.h"

#include "tests/unit/ref.h"

#define TANG      "{\"pin\":\"tang\"}"
#define TPM2      "{\"pin\":\"tpm2\"}"
#define EARLY     "{\"pin\":\"tpm2\",\"holds\":\"only before switch-root\"}"
#define OF(t, s)  "{\"pin\":\"sss\",\"threshold\":" #t ",\"shares\":[" s "]}"
#define DEAD_TPM2 "{\"pin\":\"tpm2\",\"unusable\":\"for a reason\"}"

static void test_local(void **state)
{
	static const struct {
		const char *facts;
		bool local;
	} cases[] = {
		{TANG, false},
		{TPM2, true},
		{DEAD_TPM2, false},
		{"{\"pin\":\"unknown\"}", false},
		{OF(1, TANG "," TPM2), true},
		{OF(2, TANG "," TPM2), false},
		{OF(2, TANG "," TPM2 "," TPM2), true},
		{OF(1, TANG "," DEAD_TPM2), false},
		{OF(2, TPM2 "," OF(1, TANG "," TPM2)), true},
		{OF(2, TPM2 "," OF(2, TANG "," TPM2)), false},
		{OF(1, TANG "," TANG), false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *facts = json_of(cases[i].facts);

		if (marks_local(js_str(facts, "pin"), facts) != cases[i].local)
			fail_msg("%s", cases[i].facts);
	}
}

static void expect_text(const struct marks *marks, const char *want)
{
	CLEANUP(buf_done) struct buf text = {0};

	assert_int_equal(buf_init(&text, 256), 0);
	assert_int_equal(marks_text(marks, &text), 0);
	assert_ref(buf_ref(&text), want);
}

static void test_text(void **state)
{
	CLEANUP_JSON json_t *tang = json_of(TANG), *tpm2 = json_of(TPM2);
	CLEANUP(buf_done) struct buf small = {0};
	struct marks marks = {0};

	(void)state;
	marks_add(&marks, "tang", tang);
	expect_text(&marks, "token-type=cotter-tang,_netdev");
	marks_add(&marks, "tang", tang);
	expect_text(&marks, "token-type=cotter-tang,_netdev");
	marks_add(&marks, "tpm2", tpm2);
	expect_text(&marks, "token-type=cotter-tang,token-type=cotter-tpm2");
	assert_int_equal(buf_init(&small, 30), 0);
	assert_int_equal(marks_text(&marks, &small), -E2BIG);
}

static void test_late(void **state)
{
	static const struct {
		const char *pin, *facts;
		bool late;
	} cases[] = {
		{"tang", TANG, true},
		{"tpm2", TPM2, true},
		{"tpm2", EARLY, false},
		{"sss", OF(1, EARLY "," TANG), true},
		{"sss", OF(2, EARLY "," TANG), false},
		{"sss", OF(2, EARLY "," TANG "," TPM2), true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *facts = json_of(cases[i].facts), *tang = json_of(TANG);
		struct marks marks = {0};

		marks_add(&marks, cases[i].pin, facts);
		if (marks.late != cases[i].late)
			fail_msg("%s", cases[i].facts);
		marks_add(&marks, "tang", tang);
		assert_true(marks.late);
		marks_add(&marks, cases[i].pin, facts);
		assert_true(marks.late);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
