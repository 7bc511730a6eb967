/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which tokens are moved for which order. */
#include "enroll/sequence.h"

#include "tests/unit/opened.h"

/* A pin that is not in the table cannot be met here. */
static const struct pin pin_away = {.name = "away", .describe = local_describe};

/*
 * A header with tokens in this order, a letter each and their ids from 9 downwards: L is local, N needs the
 * network, E is systemd's, O another program's, U has no keyslot, B is broken.
 */
static void make(const char *letters, struct item *items, struct inventory *inventory,
		 struct luks_order *order)
{
	static char types[][16] = {"cotter-x", "systemd-tpm2", "other"};

	*inventory = (struct inventory){.items = items};
	*order = (struct luks_order){0};
	for (const char *c = letters; *c; c++) {
		bool ours = strchr("LNUB", *c);
		unsigned id = 9 - (unsigned)(c - letters);

		order->ids[order->n++] = id;
		items[inventory->n++] = (struct item){
			.id = id,
			.type = types[ours        ? 0
				      : *c == 'E' ? 1
						  : 2],
			.keyslots = *c == 'U' ? 0 : 1,
			.ours = ours,
			.valid = ours && *c != 'B',
			.token = {.pin = *c == 'N' ? &pin_away : &pin_local, .deadline = 15},
		};
	}
}

static void expect_moves(const char *letters, bool all, const char *want)
{
	static struct item items[LUKS_TOKENS];
	struct inventory inventory;
	struct luks_order order, moves;
	char got[LUKS_TOKENS + 1] = "";

	make(letters, items, &inventory, &order);
	sequence_plan(&inventory, &order, all, &moves);
	for (size_t i = 0; i < moves.n; i++)
		got[i] = (char)('0' + moves.ids[i]);
	if (strcmp(got, want) != 0)
		fail_msg("%s: moves \"%s\", want \"%s\"", letters, got, want);
}

static void test_plan(void **state)
{
	static const struct {
		const char *letters, *own, *all; /* the ids that are moved */
	} cases[] = {
		{"", "", ""},        {"L", "", ""},      {"LLNN", "", ""},     {"NL", "9", "9"},
		{"NNL", "98", "98"}, {"NLN", "9", "9"},  {"NLNL", "97", "97"}, {"LNL", "8", "8"},
		{"NO", "", ""},      {"OL", "", ""},     {"NU", "", ""},       {"UBL", "", ""},
		{"NB", "", ""},      {"LNE", "", ""},    {"EL", "", "9"},      {"EN", "", "9"},
		{"LEN", "", "8"},    {"NLE", "9", "97"}, {"ENL", "8", "89"},   {"EOE", "", ""},
		{"EEL", "", "98"},   {"EEU", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		expect_moves(cases[i].letters, false, cases[i].own);
		expect_moves(cases[i].letters, true, cases[i].all);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
