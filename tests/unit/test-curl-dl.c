/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loading libcurl, more than once, and giving it back. */
#include "tang/curl-dl.h"

#include "tests/unit/lines.h"

#include <dlfcn.h>
#include <sys/resource.h>
#include <unistd.h>

static bool is_mapped(void)
{
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_NOLOAD);

	if (library)
		(void)dlclose(library);
	return library != NULL;
}

/* Before it is loaded for the first time: no file number is left to open it with. */
static void test_cannot_be_loaded(void **state)
{
	struct lines lines;
	struct rlimit before, none;
	struct libcurl curl;
	int r;

	(void)state;
	assert_false(is_mapped());
	memset(&curl, UNTOUCHED, sizeof(curl));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = STDERR_FILENO + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = libcurl_open(lines_begin(&lines), &curl);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EOPNOTSUPP);
	assert_told("no file", &lines, "Tang servers cannot be reached without libcurl: ");
	assert_untouched("no file", &curl, sizeof(curl));
	assert_false(is_mapped());
}

static void assert_complete(const struct libcurl *curl)
{
	assert_non_null(curl->library);
#define ASSERT_THERE(name) assert_non_null(curl->name);
	LIBCURL_SYMBOLS(ASSERT_THERE)
#undef ASSERT_THERE
}

/* Each by itself, whatever the other one does; the library stays when both are gone. */
static void test_twice(void **state)
{
	struct libcurl first, second;
	const struct libcurl none = {0};
	struct lines lines;
	CURL *easy;

	(void)state;
	assert_int_equal(libcurl_open(lines_begin(&lines), &first), 0);
	assert_int_equal(libcurl_open(&lines.log, &second), 0);
	assert_complete(&first);
	assert_complete(&second);
	assert_memory_equal(&first, &second, sizeof(first));

	libcurl_close(&first);
	assert_memory_equal(&first, &none, sizeof(none));
	libcurl_close(&first);
	easy = second.easy_init();
	assert_non_null(easy);
	second.easy_cleanup(easy);
	libcurl_close(&second);
	libcurl_close(&second);
	assert_true(is_mapped());

	assert_int_equal(libcurl_open(&lines.log, &first), 0);
	assert_complete(&first);
	libcurl_close(&first);
	assert_told("libcurl", &lines, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cannot_be_loaded),
		cmocka_unit_test(test_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
