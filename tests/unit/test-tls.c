/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are no certificates and keys; those that are, tests/interop/tangd-tls.sh has. */
#include "tang/server/tls.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/lines.h"
#include "tests/unit/root.h"

static void refuses(int r, const char *words, const struct settings *settings)
{
	struct tls tls = {0};
	struct lines lines;

	assert_int_equal(tls_load(settings, lines_begin(&lines), &tls), r);
	assert_told(words, &lines, words);
	assert_null(tls.certificate.p);
	assert_null(tls.key.p);
	assert_null(tls.client_ca.p);
}

static void test_none(void **state)
{
	const struct settings settings = {0};
	struct tls tls = {0};

	(void)state;
	assert_int_equal(tls_load(&settings, NULL, &tls), 0);
	assert_null(tls.key.p);
	tls_done(&tls);
}

static void test_refused(void **state)
{
	char *large = malloc(1024 * 1024 + 2);
	struct settings settings = {0};

	(void)state;
	assert_non_null(large);
	memset(large, 'x', 1024 * 1024 + 1);
	large[1024 * 1024 + 1] = '\0';
	put("/junk", "junk\n");
	put("/large", large);
	free(large);

	settings.certificate = under("/junk");
	settings.key = under("/missing");
	refuses(-ENOENT, "cannot be read: No such file or directory", &settings);
	settings.key = under("/junk");
	refuses(-EBADMSG, "are no certificate and its key in PEM", &settings);
	settings.certificate = under("/large");
	refuses(-E2BIG, "cannot be read", &settings);
	settings.certificate = root;
	refuses(-EISDIR, "cannot be read", &settings);
	settings.certificate = under("/junk");
	settings.client_ca = under("/missing");
	refuses(-ENOENT, "cannot be read", &settings);
}

static int setup(void **state)
{
	(void)state;
	return root_begin();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, setup, remove_root);
}
