/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of units. */
#include "units/unit-name.h"

#include "tests/unit/ref.h"

#define PREFIX "systemd-cryptsetup@"
#define SUFFIX ".service"

static void test_names(void **state)
{
	static const struct {
		const char *volume, *want;
	} cases[] = {
		{"data", PREFIX "data" SUFFIX},
		{"A:z_0.9", PREFIX "A:z_0.9" SUFFIX},
		{"luks-1", PREFIX "luks\\x2d1" SUFFIX},
		{"a/b", PREFIX "a-b" SUFFIX},
		{".a.b", PREFIX "\\x2ea.b" SUFFIX},
		{"a b\\c", PREFIX "a\\x20b\\x5cc" SUFFIX},
		{"a@%~", PREFIX "a\\x40\\x25\\x7e" SUFFIX},
		{"\xc3\xa4", PREFIX "\\xc3\\xa4" SUFFIX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *name = NULL;

		assert_int_equal(unit_name_of_volume(cases[i].volume, &name), 0);
		assert_string_equal(name, cases[i].want);
		free(name);
	}
}

static void test_template(void **state)
{
	char *name = NULL;

	(void)state;
	assert_int_equal(unit_name_of("a@", "b-c", ".socket", &name), 0);
	assert_string_equal(name, "a@b\\x2dc.socket");
	free(name);
}

static void test_length(void **state)
{
	char volume[512], *name = NULL;
	size_t most = 255 - strlen(PREFIX SUFFIX);

	(void)state;
	assert_int_equal(unit_name_of_volume("", &name), -EINVAL);
	memset(volume, 'a', sizeof(volume));
	volume[sizeof(volume) - 1] = '\0';
	assert_int_equal(unit_name_of_volume(volume, &name), -EINVAL);
	volume[most + 1] = '\0';
	assert_int_equal(unit_name_of_volume(volume, &name), -EINVAL);
	volume[most] = '\0';
	volume[0] = '-';
	assert_int_equal(unit_name_of_volume(volume, &name), -EINVAL);
	assert_null(name);
	volume[0] = 'a';
	assert_int_equal(unit_name_of_volume(volume, &name), 0);
	assert_int_equal(strlen(name), 255);
	free(name);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
