/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Measuring an event: what is none is refused before a TPM is asked, and a missing TPM is no answer. */
#include "tests/unit/swtpm.h"

#include <errno.h>

static int measure(unsigned pcr, const char *event, struct lines *lines)
{
	return tpm2_measure("device:/nonexistent", pcr, event, lines_begin(lines));
}

static void test_faults(void **state)
{
	char event[1024 + 2];
	struct lines lines;

	(void)state;
	assert_int_equal(setenv("TSS2_LOG", "all+none", 1), 0);
	assert_int_equal(measure(24, "x", &lines), -EINVAL);
	assert_told("PCR 24", &lines, "this cannot be measured into PCR 24");
	memset(event, 'x', sizeof(event));
	event[sizeof(event) - 1] = '\0';
	assert_int_equal(measure(15, event, &lines), -EINVAL);
	assert_told("a byte too long", &lines, "this cannot be measured");
	event[sizeof(event) - 2] = '\0';
	assert_int_equal(measure(15, event, &lines), -ENODEV);
	assert_told("no TPM", &lines, "cannot be reached");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_faults)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
