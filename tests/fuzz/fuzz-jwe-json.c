/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JWEs in the flattened serialization; also by the reader of JWEs that are not ours. */
#include "tests/fuzz/jwe.h"

#include "enroll/clevis/bound-config.h"
#include "enroll/clevis/jwe-text.h"

static void rewrite(const json_t *json)
{
	CLEANUP(free_text) char *compact = NULL;
	CLEANUP_JSON json_t *again = NULL;
	int r = jwe_text_to_compact(json, &compact);

	CHECK_RESULT(r, -EBADMSG);
	CHECK((r == 0) == (compact != NULL));
	if (r == 0)
		CHECK(jwe_text_to_json(compact, &again) == 0);
}

/* What clevis luks list makes of it. */
static void describe(const json_t *hdr)
{
	const char *pin = NULL;
	CLEANUP_JSON json_t *config = NULL;
	CLEANUP_JSON json_t *names = NULL;
	CLEANUP(free_text) char *text = NULL;
	int r = bound_config_of(hdr, &pin, &config);

	(void)bound_config_is_whole(hdr);
	CHECK_RESULT(r, -EBADMSG);
	CHECK((r == 0) == (pin != NULL));
	if (r < 0)
		return;
	CHECK(bound_config_pins(pin, config, &names) == 0 && json_array_size(names) > 0);
	text = config ? bound_config_text(config) : NULL;
	CHECK(!config || text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP_JSON json_t *json = NULL;
	struct jwe jwe;
	int r;

	if (js_load((struct ref){data, n}, &json) < 0)
		return 0;
	FUZZ_MARK(jwe);
	r = jwe_from_json(json, &jwe);
	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG);
	rewrite(json);
	describe(json);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(jwe));
		return 0;
	}
	fuzz_jwe_check(&jwe);
	describe(jwe.hdr);
	jwe_done(&jwe);
	return 0;
}
