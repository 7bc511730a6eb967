/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Notes in a header: written and dropped, one commit each, and what tells a keyslot from the next. */
#include "enroll/luks-note.h"

#include "tests/unit/opened.h"

#include <errno.h>

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
	add_keyslot(o.luks, 1, "secret");
	add_local(o.luks, 3, "{}", 1 << 1, "secret");
	return 0;
}

static int drop_volume(void **state)
{
	(void)state;
	opened_end(&o);
	return 0;
}

static void test_set_drop(void **state)
{
	const struct luks_unfinished_note note = {.token = 7, .keyslot = 0};
	CLEANUP(luks_unfinished_done) struct luks_unfinished read = {0};
	char *before = luks_note_token_text(o.luks, 3), *text;

	(void)state;
	assert_non_null(before);
	assert_int_equal(luks_note_set(o.luks, 3, before, &note, LUKS_ANY), 0);
	assert_int_equal(luks_token_keyslots(o.luks, 3), 1 << 1);
	text = luks_note_token_text(o.luks, 3);
	assert_int_equal(luks_unfinished_read(text, &read), 0);
	assert_int_equal(read.token, 7);
	free(text);

	assert_int_equal(luks_note_drop(o.luks, 3), 0);
	text = luks_note_token_text(o.luks, 3);
	assert_int_equal(luks_unfinished_read(text, &read), -ENOENT);
	free(text);

	assert_int_equal(luks_note_set(o.luks, 3, before, NULL, 0), 0);
	assert_int_equal(luks_token_keyslots(o.luks, 3), 1);
	free(before);
	assert_null(luks_note_token_text(o.luks, 4));
}

static void test_other_token(void **state)
{
	(void)state;
	assert_int_equal(luks_note_other_token(o.luks, 3, 1), LUKS_ANY);
	assert_int_equal(luks_note_other_token(o.luks, 9, 1), 3);
	add_token(o.luks, 8, "{\"type\":\"x\",\"keyslots\":[\"0\",\"1\"]}");
	assert_int_equal(luks_note_other_token(o.luks, 3, 1), 8);
}

/* The same while it is there, whatever becomes of tokens; another for the next of its number. */
static void test_print(void **state)
{
	struct luks_print first = {0}, again = {0};

	(void)state;
	assert_int_equal(luks_note_print(o.luks, 1, &first), 0);
	add_token(o.luks, 8, "{\"type\":\"x\",\"keyslots\":[\"1\"]}");
	assert_int_equal(crypt_keyslot_set_priority(o.luks->cd, 1, CRYPT_SLOT_PRIORITY_PREFER), 0);
	assert_int_equal(luks_note_print(o.luks, 1, &again), 0);
	assert_memory_equal(&first, &again, sizeof(first));
	assert_int_equal(luks_remove_keyslot(o.luks, 1), 0);
	assert_int_equal(luks_note_print(o.luks, 1, &again), -ENOENT);
	add_keyslot(o.luks, 1, "secret");
	assert_int_equal(luks_note_print(o.luks, 1, &again), 0);
	assert_memory_not_equal(&first, &again, sizeof(first));
}

static void test_errors(void **state)
{
	(void)state;
	assert_int_equal(luks_note_set_token(o.luks, 3, "{}"), -EIO);
	assert_told("writing", &o.lines, "token 3 of /tmp/");
	assert_int_equal(luks_note_drop(o.luks, 9), -ENOMEM);
	assert_int_equal(luks_token_keyslots(o.luks, 3), 1 << 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_set_drop, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_other_token, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_print, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_errors, make_volume, drop_volume),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
