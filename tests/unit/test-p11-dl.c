/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loading p11-kit, more than once, and doing without it. */
#include "pkcs11/p11-dl.h"

#include "tests/unit/lines.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

static bool is_mapped(void)
{
	void *library = dlopen("libp11-kit.so.0", RTLD_NOW | RTLD_NOLOAD);

	if (library)
		(void)dlclose(library);
	return library != NULL;
}

/* Before it is loaded for the first time: no file number is left to open it with. */
static void test_cannot_be_loaded(void **state)
{
	struct rlimit before, none;
	struct lines lines;
	struct libp11 lib;
	int r;

	(void)state;
	memset(&lib, UNTOUCHED, sizeof(lib));
	if (is_mapped())
		skip(); /* another library of this program brought it */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = STDERR_FILENO + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = libp11_open(lines_begin(&lines), &lib);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

	assert_int_equal(r, -EOPNOTSUPP);
	assert_told("no file", &lines, "a card cannot be used without p11-kit: ");
	assert_untouched("no file", &lib, sizeof(lib));
}

/* Each by itself, whatever the other one does; the library stays when both are gone. */
static void test_twice(void **state)
{
	const struct libp11 none = {0};
	struct libp11 first, second;
	struct lines lines;

	(void)state;
	assert_int_equal(libp11_open(lines_begin(&lines), &first), 0);
	assert_int_equal(libp11_open(&lines.log, &second), 0);
	assert_memory_equal(&first, &second, sizeof(first));
	assert_non_null(first.p11_kit_module_load);
	assert_non_null(first.p11_kit_strerror);

	libp11_close(&first);
	assert_memory_equal(&first, &none, sizeof(none));
	libp11_close(&first);
	libp11_close(&second);
	assert_true(is_mapped());
	assert_told("p11-kit", &lines, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cannot_be_loaded),
		cmocka_unit_test(test_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
