/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --tpm2-device=list says of this machine. */
#include "enroll/verbs.h"

#include "tests/unit/capture.h"
#include "tpm/tpm2.h"

#include <cmocka.h>

static void test_devices(void **state)
{
	const struct options options = {.pin = "tpm2"};
	struct output out = {0};
	CLEANUP_JSON json_t *devices = NULL;
	struct capture capture;
	enum exit_code code;
	const char *said;

	(void)state;
	assert_int_equal(output_init(&out), 0);
	assert_int_equal(tpm2_devices(&devices), 0);
	capture = capture_begin(STDERR_FILENO);
	code = verb_devices(&options, &out);
	said = capture_end(&capture);

	assert_int_equal(code, EXIT_CODE_OK);
	assert_true(json_equal(json_object_get(out.json, "devices"), devices));
	assert_int_equal(strstr(said, "this machine has no tpm2 device") != NULL,
			 json_array_size(devices) == 0);
	output_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
