/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Headers copied to memory: the same metadata, and what is done to them stays there. */
#include "enroll/luks-copy.h"

#include "tests/unit/opened.h"

static struct opened o;

static int make_volume(void **state)
{
	(void)state;
	opened_begin(&o);
	return 0;
}

static int drop_volume(void **state)
{
	(void)state;
	opened_end(&o);
	return 0;
}

static void test_copy(void **state)
{
	struct print before, after;
	const char *type, *json;
	struct luks *copy = NULL;

	(void)state;
	add_token(o.luks, 4, "{\"type\":\"f\",\"keyslots\":[\"0\"]}");
	before = print_of(o.volume.path);
	assert_int_equal(luks_copy_header(o.luks, &copy), 0);
	assert_string_equal(luks_uuid(copy), luks_uuid(o.luks));
	assert_string_equal(copy->name, o.luks->name);
	assert_int_equal(luks_token_keyslots(copy, 4), 1);

	/* without key material nothing opens */
	assert_int_equal(luks_keyslot_opens(copy, 0, ref_str(PASSPHRASE)), -EPERM);
	assert_int_equal(luks_remove_token(copy, 4), 0);
	assert_int_equal(luks_remove_keyslot(copy, 0), 0);
	assert_int_equal(luks_token(copy, 4, &type, &json), -ENOENT);
	copy = luks_free(copy);
	after = print_of(o.volume.path);
	assert_same_print(&before, &after);
}

static void test_errors(void **state)
{
	struct luks *copy = NULL;

	(void)state;
	assert_int_equal(truncate(o.volume.path, 1000), 0);
	assert_int_equal(luks_copy_header(o.luks, &copy), -EIO);
	assert_null(copy);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_copy, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_errors, make_volume, drop_volume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
