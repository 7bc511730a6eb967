/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a header holds: keyslots, and tokens that are ours, broken or another program's. */
#include "enroll/inventory.h"

#include "tests/unit/opened.h"

static struct opened o;

/* What our handler would refuse is put there before there is one. */
static int begin(void **state)
{
	(void)state;
	opened_begin(&o);
	add_token(o.luks, 9, "{\"type\":\"cotter-local\",\"keyslots\":[\"0\"]}");
	add_token(o.luks, 10, "{\"type\":\"cotter-unknown\",\"keyslots\":[]}");
	return luks_setup(false, NULL);
}

static int end(void **state)
{
	(void)state;
	opened_end(&o);
	return 0;
}

static void test_read(void **state)
{
	struct inventory inventory = {0};
	const struct item *item;

	(void)state;
	add_keyslot(o.luks, 3, "one");
	add_keyslot(o.luks, 31, "two");
	add_unbound_keyslot(o.luks, 7, "three");
	add_token(o.luks, 0, "{\"type\":\"foreign\",\"keyslots\":[\"3\",\"7\"],\"x\":1}");
	add_local(o.luks, 4, "{}", 1 << 3 | UINT32_C(1) << 31, "one");
	add_local(o.luks, 31, "{}", 0, "orphan");

	assert_int_equal(inventory_read(o.luks, &inventory), 0);
	assert_int_equal(inventory.active, 1 | 1 << 3 | UINT32_C(1) << 31);
	assert_int_equal(inventory.unbound, 1 << 7);
	assert_int_equal(inventory.n, 5);
	for (size_t i = 1; i < inventory.n; i++)
		assert_true(inventory.items[i - 1].id < inventory.items[i].id);

	item = inventory_find(&inventory, 0);
	assert_string_equal(item->type, "foreign");
	assert_int_equal(item->keyslots, 1 << 3 | 1 << 7);
	assert_false(item->ours || item->valid);

	item = inventory_find(&inventory, 4);
	assert_string_equal(item->type, "cotter-local");
	assert_int_equal(item->keyslots, 1 << 3 | UINT32_C(1) << 31);
	assert_true(item->ours && item->valid);
	assert_ptr_equal(item->token.pin, &pin_local);
	assert_string_equal(item->why, "");

	item = inventory_find(&inventory, 31);
	assert_int_equal(item->keyslots, 0);
	assert_true(item->ours && item->valid);

	assert_null(inventory_find(&inventory, 1));
	assert_null(inventory_find(&inventory, 32));
	inventory_done(&inventory);
	assert_int_equal(inventory.n, 0);
	assert_null(inventory_find(&inventory, 4));
	inventory_done(&inventory);
	assert_told("read", &o.lines, NULL);
}

static void test_broken(void **state)
{
	struct inventory inventory = {0};
	const struct item *item;

	(void)state;
	assert_int_equal(inventory_read(o.luks, &inventory), 0);
	item = inventory_find(&inventory, 9);
	assert_true(item->ours);
	assert_false(item->valid);
	assert_int_equal(item->keyslots, 1);
	assert_string_equal(item->why, "the token's JWE is missing or malformed");

	item = inventory_find(&inventory, 10);
	assert_string_equal(item->type, "cotter-unknown");
	assert_true(item->ours);
	assert_false(item->valid);
	assert_string_equal(item->why, "the token's type is not supported here");
	inventory_done(&inventory);
}

static void test_numbers(void **state)
{
	static const struct {
		uint32_t bits;
		const char *numbers;
	} cases[] = {
		{0, "[]"},
		{1, "[0]"},
		{UINT32_C(1) << 31 | 1 << 4 | 1 << 2, "[2,4,31]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *got = inventory_numbers(cases[i].bits);
		CLEANUP_JSON json_t *want = json_of(cases[i].numbers);

		assert_true(json_equal(got, want));
	}
}

static void test_adopt(void **state)
{
	char *text = local_token("{}", 0, "one");
	struct inventory inventory = {0};
	CLEANUP_JSON json_t *json = json_of(text);
	const struct item *item;

	(void)state;
	free(text);
	assert_int_equal(json_object_set_new(json, "type", json_string("clevis")), 0);
	assert_int_equal(js_dump(json, &text), 0);
	add_token(o.luks, 20, text);
	free(text);
	add_token(o.luks, 21, "{\"type\":\"clevis\",\"keyslots\":[]}");
	add_token(o.luks, 22, "{\"type\":\"another\",\"keyslots\":[]}");

	assert_int_equal(inventory_read(o.luks, &inventory), 0);
	assert_false(inventory_find(&inventory, 20)->ours);
	for (unsigned id = 20; id <= 23; id++)
		assert_int_equal(inventory_adopt(&inventory, o.luks, id), 0);
	item = inventory_find(&inventory, 20);
	assert_true(item->ours && item->valid);
	assert_ptr_equal(item->token.pin, &pin_local);
	item = inventory_find(&inventory, 21);
	assert_true(item->ours);
	assert_false(item->valid);
	assert_non_null(strstr(item->why, "JWE"));
	assert_false(inventory_find(&inventory, 22)->ours);
	inventory_done(&inventory);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_adopt),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
