/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clevis's configurations. There is no TPM to ask: its name is too long. */
#include "enroll/clevis/pin-config.h"

#include "sss/config.h"
#include "tests/fuzz/fuzz.h"
#include "tpm/config.h"

static void read_parts(const json_t *config)
{
	CLEANUP_JSON json_t *parts = sss_parts(config);
	const json_t *part;
	size_t i;

	CHECK(parts);
	(void)sss_threshold_ok(config, json_array_size(parts));
	json_array_foreach(parts, i, part) {
		struct sss_spot root = {0}, spot = sss_part_spot(part, &root);
		char name[64];

		sss_spot_name(&spot, name, sizeof(name));
		CHECK(strlen(name) < sizeof(name) && sss_part_pin(part));
	}
}

static void read_tpm2(const json_t *json)
{
	struct config config = {0};
	int r = config_read(json, &fuzz_log, &config);

	CHECK_RESULT(r, -EINVAL);
	CHECK((r == 0) == (config.sealed != NULL));
	config_done(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const names[] = {"tang", "tpm2", "sss", "null"};
	static char no_tpm[2048];
	CLEANUP(free_text) char *text = fuzz_text((struct ref){data, n});
	CLEANUP_JSON json_t *json = NULL;

	if (!no_tpm[0]) {
		memset(no_tpm, 'x', sizeof(no_tpm) - 1);
		CHECK(setenv("COTTER_TPM2_TCTI", no_tpm, 1) == 0);
	}
	/* Other texts are names of files. */
	if (strlen(text) != n || js_load((struct ref){data, n}, &json) < 0)
		return 0;
	read_tpm2(json);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP_JSON json_t *config = NULL;
		int r = pin_config_read(names[i], text, &fuzz_log, &config);

		CHECK_RESULT(r, -EINVAL, -E2BIG);
		CHECK((r == 0) == json_is_object(config));
		if (r == 0)
			read_parts(config);
	}
	return 0;
}
