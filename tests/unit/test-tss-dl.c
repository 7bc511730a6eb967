/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loading tpm2-tss, more than once, and doing without it. */
#include "tpm/tss-dl.h"

#include "tests/unit/lines.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

static bool is_mapped(const char *soname)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_NOLOAD);

	if (library)
		(void)dlclose(library);
	return library != NULL;
}

/* No file number is left to open a library with. */
static void leave_no_files(struct rlimit *ret_before)
{
	struct rlimit none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, ret_before), 0);
	none = *ret_before;
	none.rlim_cur = STDERR_FILENO + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

/* Before they are loaded for the first time. */
static void test_cannot_be_loaded(void **state)
{
	/* provokes: libtss_open -EOPNOTSUPP */
	struct rlimit before;
	struct lines lines;
	struct libtss tss;
	char words[256];
	int r;

	(void)state;
	memset(&tss, UNTOUCHED, sizeof(tss));
	leave_no_files(&before);
	r = libtss_open(lines_begin(&lines), &tss);
	libtss_describe(0x101, words, sizeof(words));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

	assert_int_equal(r, -EOPNOTSUPP);
	assert_told("no file", &lines, "a TPM cannot be used without tpm2-tss: ");
	assert_untouched("no file", &tss, sizeof(tss));
	assert_false(is_mapped("libtss2-esys.so.0"));
	/* The words are not needed for anything else, and their library may be missing. */
	assert_string_equal(words, "response code 0x101");
}

static void test_words(void **state)
{
	char words[256];

	(void)state;
	libtss_describe(0x101, words, sizeof(words));
	if (is_mapped("libtss2-rc.so.0") && !strstr(words, ", 0x101"))
		fail_msg("described as \"%s\"", words);
	assert_string_not_equal(words, "");
}

static void assert_complete(const struct libtss *tss)
{
	assert_non_null(tss->esys_library);
	assert_non_null(tss->tctildr_library);
	assert_non_null(tss->Unseal_Async);
	assert_non_null(tss->Unseal_Finish);
	assert_non_null(tss->Esys_Free);
}

/* Each by itself, whatever the other one does; the libraries stay when both are gone. */
static void test_twice(void **state)
{
	const struct libtss none = {0};
	struct libtss first, second;
	struct lines lines;

	(void)state;
	assert_int_equal(libtss_open(lines_begin(&lines), &first), 0);
	assert_int_equal(libtss_open(&lines.log, &second), 0);
	assert_complete(&first);
	assert_memory_equal(&first, &second, sizeof(first));

	libtss_close(&first);
	assert_memory_equal(&first, &none, sizeof(none));
	libtss_close(&first);
	assert_complete(&second);
	libtss_close(&second);
	assert_true(is_mapped("libtss2-esys.so.0"));
	assert_true(is_mapped("libtss2-tctildr.so.0"));
	assert_told("tpm2-tss", &lines, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cannot_be_loaded),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
