/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies as people write them, and Clevis's configurations; what is written is read as the same. */
#include "enroll/policy-text.h"

#include "tests/fuzz/fuzz.h"
#include "token/token.h"

static void look(const char *pin, const json_t *config)
{
	CLEANUP_JSON json_t *facts = NULL;
	unsigned traits;
	size_t size;

	CHECK(tree_check(pin, config, &fuzz_log) == 0);
	CHECK(tree_traits(pin, config, &traits) == 0);
	CHECK(tree_size_min(pin, config, &size) == 0 && size > 0);
	CHECK(tree_describe(pin, config, &facts) == 0 && json_is_object(facts));
}

/* Texts have strings where Clevis's configurations may have numbers and lists. */
static void write_again(const char *pin, const json_t *config, bool from_text)
{
	CLEANUP(free_text) char *text = NULL;
	CLEANUP_JSON json_t *again = NULL;
	const char *pin_again = NULL;
	int r = policy_text_format(pin, config, &text);

	CHECK_RESULT(r, -EINVAL);
	CHECK(r == 0 || !from_text);
	if (r < 0 || strlen(text) > POLICY_TEXT_MAX)
		return;
	CHECK(policy_text_parse(ref_str(text), &fuzz_log, &pin_again, &again) == 0);
	CHECK(strcmp(pin, pin_again) == 0);
	if (from_text)
		CHECK(json_equal(config, again));
	else
		write_again(pin, again, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP_JSON json_t *config = NULL;
	CLEANUP_JSON json_t *clevis = NULL;
	const char *pin = NULL;
	int r = policy_text_parse((struct ref){data, n}, &fuzz_log, &pin, &config);

	CHECK_RESULT(r, -EINVAL);
	CHECK((r == 0) == (pin != NULL) && (r == 0) == (config != NULL));
	if (r == 0) {
		look(pin, config);
		write_again(pin, config, true);
	}
	if (js_load((struct ref){data, n}, &clevis) < 0)
		return 0;
	for (size_t i = 0; pins[i]; i++) {
		r = tree_check(pins[i]->name, clevis, &fuzz_log);
		CHECK_RESULT(r, -EINVAL);
		if (r < 0)
			continue;
		look(pins[i]->name, clevis);
		write_again(pins[i]->name, clevis, false);
	}
	return 0;
}
