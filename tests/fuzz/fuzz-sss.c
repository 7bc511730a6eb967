/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Protected headers of sss JWEs, and the whole tree below them. */
#include "sss/policy.h"

#include "tests/fuzz/fuzz.h"
#include "token/token.h"

static void check_parts(const json_t *hdr)
{
	struct policy policy;
	int r;

	FUZZ_MARK(policy);
	r = policy_read(hdr, &fuzz_log, &policy);
	CHECK_RESULT(r, -EBADMSG, -E2BIG);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(policy));
		return;
	}
	CHECK(policy.t >= 1 && policy.t <= policy.n && policy.n <= SSS_SHARES_MAX);
	CHECK(policy.n == json_array_size(policy.children) && policy.prime.n > 0);
	for (unsigned i = 0; i < policy.n; i++)
		CHECK(policy_child(&policy, i).p);
	policy_done(&policy);
}

static void check_tree(const json_t *hdr)
{
	CLEANUP_JSON json_t *facts = json_object();
	const struct pin *pin = NULL;
	int r = policy_check(pins, hdr, &fuzz_log);

	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG);
	(void)policy_wants_pin(pins, hdr);
	(void)policy_uses_network(pins, hdr);
	if (r < 0)
		return;
	CHECK(policy_describe(pins, hdr, facts) == 0);
	CHECK(json_integer_value(json_object_get(facts, "threshold")) >= 1);
	CHECK(json_array_size(json_object_get(facts, "shares")) > 0);
	r = pin_check(pins, hdr, &fuzz_log, &pin);
	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG);
	CHECK((r == 0) == (pin != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP_JSON json_t *hdr = NULL;

	if (js_load((struct ref){data, n}, &hdr) < 0)
		return 0;
	check_parts(hdr);
	check_tree(hdr);
	return 0;
}
