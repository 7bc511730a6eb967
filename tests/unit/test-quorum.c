/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who suffices alone and who is needed: in examples, and in random trees against every set of leaves. */
#include "enroll/quorum.h"

#include "tests/unit/vectors/jose.h"

#include <stdlib.h>

#define A         "{\"pin\":\"tang\",\"url\":\"a\"}"
#define B         "{\"pin\":\"tang\",\"url\":\"b\"}"
#define C         "{\"pin\":\"tang\",\"url\":\"c\"}"
#define TPM       "{\"pin\":\"tpm2\",\"pcrs\":\"7\",\"user_pin\":\"no\"}"
#define OF(t, of) "{\"pin\":\"sss\",\"threshold\":" t ",\"shares\":[" of "]}"
#define NAME(x)   "\"the Tang server " x "\""
#define THE_TPM   "\"this machine's TPM while PCRs 7 are as enrolled\""
#define BROKEN    "{\"pin\":\"unknown\",\"unusable\":\"it is odd\"}"

static json_t *explained(const json_t *facts)
{
	json_t *result = json_object();

	assert_int_equal(quorum_explain(facts, result), 0);
	assert_int_equal(json_object_size(result), 3);
	return result;
}

static void expect_names(const char *what, const json_t *result, const char *member,
			 const char *names)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "[%s]", names);
	{
		CLEANUP_JSON json_t *want = json_of(text);

		if (!json_equal(json_object_get(result, member), want))
			fail_msg("%s: other names in \"%s\"", what, member);
	}
}

static void test_examples(void **state)
{
	static const struct {
		const char *facts, *alone, *needed, *warnings;
	} cases[] = {
		{A, NAME("a"), NAME("a"),
		 "\"without the Tang server a nothing else here suffices: where that is lost, a "
		 "passphrase is needed\""},
		{OF("1", A "," B), NAME("a") "," NAME("b"), "",
		 "\"each of these alone is enough: the Tang server a; the Tang server b\""},
		{OF("2", A "," B), "", NAME("a") "," NAME("b"),
		 "\"without any one of these the others do not suffice, so that where one is lost a "
		 "passphrase is needed: the Tang server a; the Tang server b\""},
		{OF("2", A "," B "," C), "", "", ""},
		{OF("2", TPM "," A "," OF("1", B "," C)), "", "", ""},
		{OF("2", TPM "," OF("1", B "," C)), "", THE_TPM,
		 "\"without this machine's TPM while PCRs 7 are as enrolled nothing else here suffices: "
		 "where that is lost, a passphrase is needed\""},
		{OF("1", TPM "," OF("2", B "," C)), THE_TPM, "",
		 "\"this machine's TPM while PCRs 7 are as enrolled alone is enough\""},
		{OF("2", A "," A "," B), NAME("a"), NAME("a"),
		 "\"the Tang server a alone is enough\",\"without the Tang server a nothing else here "
		 "suffices: where that is lost, a passphrase is needed\",\"the Tang server a is there "
		 "more than once, and counts as often\""},
		{OF("1", A "," BROKEN), NAME("a"), NAME("a"),
		 "\"the Tang server a alone is enough\",\"without the Tang server a nothing else here "
		 "suffices: where that is lost, a passphrase is needed\""},
		{OF("2",
		    A "," OF("1",
			     "{\"pin\":\"tpm2\",\"pcrs\":\"none\",\"user_pin\":\"no\"}," B) "," C),
		 "", "",
		 "\"this machine's TPM: without PCRs and PIN it agrees to whatever this machine starts, "
		 "another system's medium too\""},
		{OF("2", A "," B ",{\"pin\":\"tpm2\",\"pcrs\":\"none\",\"user_pin\":\"yes\"}"), "",
		 "",
		 "\"this machine's TPM with a PIN: somebody must type the PIN, so this machine does not "
		 "start unattended by it\""},
		{OF("2", A "," B ",{\"pin\":\"tpm2\",\"pcrs\":\"none\",\"user_pin\":\"no\","
			   "\"signed_pcrs\":\"11\"}"),
		 "", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *facts = json_of(cases[i].facts);
		CLEANUP_JSON json_t *result = explained(facts);

		expect_names(cases[i].facts, result, "alone", cases[i].alone);
		expect_names(cases[i].facts, result, "needed", cases[i].needed);
		expect_names(cases[i].facts, result, "warnings", cases[i].warnings);
	}
}

enum { LEAVES = 7 };

/* A tree of up to LEAVES leaves, the servers "0" to "6", each once. */
static json_t *random_tree(unsigned depth, unsigned *n)
{
	json_t *shares;
	unsigned parts = 1 + (unsigned)rand() % 3;

	if (depth == 0 || rand() % 3 == 0)
		return json_pack("{s:s, s:o}", "pin", "tang", "url", json_sprintf("%u", (*n)++));

	shares = json_array();
	for (unsigned i = 0; i < parts && (i == 0 || *n < LEAVES); i++)
		assert_int_equal(json_array_append_new(shares, random_tree(depth - 1, n)), 0);
	return json_pack("{s:s, s:i, s:o}", "pin", "sss", "threshold",
			 1 + rand() % (int)json_array_size(shares), "shares", shares);
}

/* Said again in the plainest way: does this set of servers open it? */
static bool opens(const json_t *facts, unsigned there)
{
	const json_t *shares = json_object_get(facts, "shares"), *share;
	int n = 0;
	size_t i;

	if (!shares)
		return there & 1U << atoi(js_str(facts, "url"));
	json_array_foreach(shares, i, share)
		n += opens(share, there);
	return n >= json_integer_value(json_object_get(facts, "threshold"));
}

static void test_random(void **state)
{
	(void)state;
	srand(1);
	for (unsigned i = 0; i < 2000; i++) {
		unsigned n = 0, all;
		CLEANUP_JSON json_t *facts = random_tree(1 + i % 4, &n);
		CLEANUP_JSON json_t *result = explained(facts);
		CLEANUP_JSON json_t *alone = json_array(), *needed = json_array();

		all = (1U << n) - 1;
		for (unsigned leaf = 0; leaf < n; leaf++) {
			if (opens(facts, 1U << leaf))
				(void)json_array_append_new(
					alone, json_sprintf("the Tang server %u", leaf));
			if (!opens(facts, all & ~(1U << leaf)))
				(void)json_array_append_new(
					needed, json_sprintf("the Tang server %u", leaf));
		}
		if (!json_equal(json_object_get(result, "alone"), alone) ||
		    !json_equal(json_object_get(result, "needed"), needed))
			fail_msg("tree %u of seed 1 is explained wrongly", i);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
