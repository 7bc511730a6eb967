/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What survives a new volume key, and the note of it. */
#include "enroll/reencrypt-keep.h"

#include "tests/unit/ref.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BIT(n) (UINT32_C(1) << (n))

static void test_decide(void **state)
{
	struct item items[] = {
		{.id = 0, .keyslots = BIT(1)},          /* opened */
		{.id = 1, .keyslots = BIT(2)},          /* not */
		{.id = 2, .keyslots = BIT(1) | BIT(2)}, /* in part */
		{.id = 3},                              /* orphaned before */
		{.id = 31, .keyslots = BIT(7)},         /* of a keyslot with another key */
	};
	const struct inventory inventory = {
		.active = BIT(0) | BIT(1) | BIT(2) | BIT(31),
		.unbound = BIT(7),
		.items = items,
		.n = ARRAY_SIZE(items),
	};
	struct keep keep;

	(void)state;
	keep_decide(&inventory, BIT(0) | BIT(1) | BIT(7) | BIT(31), &keep);
	assert_int_equal(keep.keyslots, BIT(0) | BIT(1) | BIT(31));
	assert_int_equal(keep.lost_keyslots, BIT(2));
	assert_int_equal(keep.tokens, BIT(0) | BIT(2) | BIT(31));
	assert_int_equal(keep.lost_tokens, BIT(1));

	keep_decide(&inventory, 0, &keep);
	assert_int_equal(keep.keyslots, 0);
	assert_int_equal(keep.lost_keyslots, inventory.active);
	assert_int_equal(keep.tokens, BIT(31));
	assert_int_equal(keep.lost_tokens, BIT(0) | BIT(1) | BIT(2));

	keep_decide(&inventory, ~UINT32_C(0), &keep);
	assert_int_equal(keep.lost_keyslots | keep.lost_tokens, 0);
}

static void test_numbers(void **state)
{
	struct inventory inventory = {.active = BIT(0) | BIT(2), .unbound = BIT(1)};
	struct keep keep = {.keyslots = BIT(0) | BIT(2)};
	unsigned numbers[LUKS_KEYSLOTS], missing = 77;

	(void)state;
	assert_int_equal(keep_numbers(&inventory, &keep, numbers, &missing), 0);
	assert_int_equal(numbers[0], 3);
	assert_int_equal(numbers[2], 4);
	assert_int_equal(missing, 77);

	/* 15 are free, which 14 that stay take. */
	inventory.active = 0xffff;
	inventory.unbound = BIT(16);
	keep.keyslots = 0x3fff;
	assert_int_equal(keep_numbers(&inventory, &keep, numbers, &missing), 0);
	keep.keyslots = 0x7fff;
	assert_int_equal(keep_numbers(&inventory, &keep, numbers, &missing), -ENOSPC);
	assert_int_equal(missing, 1);
	keep.keyslots = 0xffff;
	assert_int_equal(keep_numbers(&inventory, &keep, numbers, &missing), -ENOSPC);
	assert_int_equal(missing, 2);
	inventory.unbound = 0xffff0000;
	assert_int_equal(keep_numbers(&inventory, &keep, numbers, &missing), -ENOSPC);
	assert_int_equal(missing, 17);
}

static void test_note(void **state)
{
	const struct keep_note note = {
		.old = BIT(0) | BIT(31), .keyslots = BIT(1) | BIT(2), .tokens = 0};
	struct keep_note read = {0};
	char *text = NULL;

	(void)state;
	assert_int_equal(keep_note_format(&note, &text), 0);
	assert_string_equal(text, "{\"cotter\":{\"keyslots\":[1,2],\"old\":[0,31],\"tokens\":[]},"
				  "\"keyslots\":[],\"type\":\"cotter_reencryption\"}");
	assert_int_equal(keep_note_parse(text, &read), 0);
	assert_memory_equal(&read, &note, sizeof(note));
	free(text);
}

static void test_bad_note(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"{\"cotter\":{\"keyslots\":[1],\"old\":[0]}}",
		"{\"cotter\":{\"keyslots\":[1],\"old\":[32],\"tokens\":[]}}",
		"{\"cotter\":{\"keyslots\":[-1],\"old\":[0],\"tokens\":[]}}",
		"{\"cotter\":{\"keyslots\":[\"1\"],\"old\":[0],\"tokens\":[]}}",
		"{\"cotter\":{\"keyslots\":1,\"old\":[0],\"tokens\":[]}}",
	};
	struct keep_note note = {.old = 5};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(keep_note_parse(bad[i], &note), -EBADMSG);
	assert_int_equal(note.old, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decide),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_note),
		cmocka_unit_test(test_bad_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
