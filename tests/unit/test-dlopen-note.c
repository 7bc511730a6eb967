/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this program, which holds all pins, says of what they load. */
#include "units/dlopen-note.h"

#include "token/token.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool has(const json_t *notes, const char *feature, const char *soname)
{
	const json_t *entry, *name;
	size_t i, j;

	json_array_foreach(notes, i, entry)
		json_array_foreach(json_object_get(entry, "soname"), j, name)
			if (strcmp(json_string_value(name), soname) == 0)
				return strcmp(js_str(entry, "feature"), feature) == 0 &&
				       js_str(entry, "priority");
	return false;
}

static void test_notes(void **state)
{
	CLEANUP_JSON json_t *notes = NULL;

	(void)state;
	assert_non_null(pins[1]); /* or the linker would leave them out */
	assert_int_equal(dlopen_notes(&notes), 0);
	assert_int_equal(json_array_size(notes), 6);
	assert_true(has(notes, "pkcs11", "libp11-kit.so.0"));
	assert_true(has(notes, "tang", "libcurl.so.4"));
	assert_true(has(notes, "tpm2", "libtss2-esys.so.0"));
	assert_true(has(notes, "tpm2", "libtss2-tctildr.so.0"));
	assert_true(has(notes, "tpm2", "libtss2-tcti-device.so.0"));
	assert_true(has(notes, "tpm2", "libtss2-rc.so.0"));
	assert_false(has(notes, "tang", "libtss2-rc.so.0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
