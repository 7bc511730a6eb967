/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokens moved to the end of a header, and what they were otherwise. */
#include "enroll/luks-move.h"

#include "tests/unit/opened.h"

static struct opened o;

static int begin(void **state)
{
	(void)state;
	return luks_setup(false, NULL);
}

static int make_volume(void **state)
{
	(void)state;
	opened_begin(&o);
	add_keyslot(o.luks, 5, "secret");
	add_local(o.luks, 3, "{}", 1 << 5, "secret");
	add_token(o.luks, 1, "{\"type\":\"other\",\"keyslots\":[\"0\"],\"z\":1,\"a\":[2,{}]}");
	add_local(o.luks, 7, "{}", 0, "none");
	return 0;
}

static int drop_volume(void **state)
{
	(void)state;
	opened_end(&o);
	return 0;
}

/* As the file has it, where a new reader sees it. */
static void expect_order(const char *want)
{
	CLEANUP(luks_freep) struct luks *again = NULL;
	struct luks_order order;
	char got[128] = "";

	assert_int_equal(luks_open(o.volume.path, NULL, false, o.luks->log, &again), 0);
	assert_int_equal(luks_order_read(again, &order), 0);
	for (size_t i = 0; i < order.n; i++)
		(void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%u ", order.ids[i]);
	assert_string_equal(got, want);
}

static void move(unsigned id, unsigned want)
{
	const char *type, *json;
	char *before;
	unsigned to = 99;

	assert_int_equal(luks_token(o.luks, id, &type, &json), 0);
	before = strdup(json);
	assert_non_null(before);
	assert_int_equal(luks_move_token(o.luks, id, &to), 0);
	assert_int_equal(to, want);
	assert_int_equal(luks_token(o.luks, to, &type, &json), 0);
	assert_string_equal(json, before);
	assert_int_equal(luks_token(o.luks, id, &type, &json), -ENOENT);
	free(before);
}

static void test_move(void **state)
{
	(void)state;
	expect_order("3 1 7 ");
	move(3, 0);
	expect_order("1 7 0 ");
	assert_int_equal(luks_token_keyslots(o.luks, 0), 1 << 5);
	move(1, 2);
	expect_order("7 0 2 ");
	move(2, 1);
	expect_order("7 0 1 ");
	assert_told("moves", &o.lines, NULL);
}

/* What an end between the two commits leaves. */
static void test_copy_there(void **state)
{
	const char *type, *json;
	char *copy;

	(void)state;
	assert_int_equal(luks_token(o.luks, 3, &type, &json), 0);
	copy = strdup(json);
	assert_non_null(copy);
	add_token(o.luks, 9, copy);
	free(copy);
	move(3, 9);
	expect_order("1 7 9 ");
}

static void test_not_moved(void **state)
{
	unsigned to = 99;

	(void)state;
	assert_int_equal(luks_move_token(o.luks, 4, &to), -ENOENT);
	for (int i = 0; i < LUKS_TOKENS; i++)
		if (i != 3 && i != 1 && i != 7)
			add_token(o.luks, i, "{\"type\":\"x\",\"keyslots\":[]}");
	assert_true(luks_move_token(o.luks, 3, &to) < 0);
	assert_told("no free id", &o.lines, "token 3 of");
	assert_int_equal(to, 99);
	assert_int_equal(luks_token_keyslots(o.luks, 3), 1 << 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_move, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_copy_there, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_not_moved, make_volume, drop_volume),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
