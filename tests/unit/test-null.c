/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The null pin: everybody can open it, unless it was made to fail. */
#include "enroll/clevis/null.h"

#include "tests/unit/lines.h"

static const struct pin *const null_pins[] = {&pin_null, NULL};

static int open_jwe(const struct jwe *jwe, struct job *job, struct buf *ret)
{
	CLEANUP(cot_done) struct cot cot = {.pins = null_pins, .deadline_us = UINT64_MAX};
	int r;

	r = job_init(job, &cot, jwe);
	return r == 0 ? pin_recover(&cot, job, ret) : r;
}

static void test_opens(void **state)
{
	CLEANUP(cot_done) struct cot cot = {.pins = null_pins, .deadline_us = UINT64_MAX};
	CLEANUP_JSON json_t *config = json_of("{\"fail\":false}");
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP(job_done) struct job job = {0};
	CLEANUP(buf_done) struct buf secret = {0};

	(void)state;
	assert_int_equal(pin_seal(&cot, "null", config, ref_str("a secret"), &jwe), 0);
	assert_int_equal(open_jwe(&jwe, &job, &secret), 0);
	assert_true(ref_is(buf_ref(&secret), "a secret"));
}

static void test_fails(void **state)
{
	CLEANUP(cot_done) struct cot cot = {.pins = null_pins, .deadline_us = UINT64_MAX};
	CLEANUP_JSON json_t *config = json_of("{\"fail\":true}");
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP(job_done) struct job job = {0};
	CLEANUP(buf_done) struct buf secret = {0};

	(void)state;
	assert_int_equal(pin_seal(&cot, "null", config, ref_str("a secret"), &jwe), 0);
	assert_int_equal(open_jwe(&jwe, &job, &secret), -EBADMSG);
	assert_string_equal(job.why, "null: the header holds no key");
}

static void test_refused(void **state)
{
	static const char *const headers[] = {
		"{\"clevis\":{\"pin\":\"null\"}}",
		"{\"alg\":\"ECDH-ES\",\"clevis\":{\"pin\":\"null\"}}",
		"{\"alg\":7,\"clevis\":{\"pin\":\"null\"}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		CLEANUP_JSON json_t *hdr = json_of(headers[i]);
		const struct pin *pin = NULL;
		struct lines lines;

		expect(headers[i], pin_check(null_pins, hdr, lines_begin(&lines), &pin), -EBADMSG);
		assert_told(headers[i], &lines, "alg");
	}
}

/* Another key than the one that sealed it, or one of another length. */
static void test_wrong_key(void **state)
{
	static const char *const keys[] = {"\"AAAA\"", "7",
					   "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""};
	CLEANUP(cot_done) struct cot cot = {.pins = null_pins, .deadline_us = UINT64_MAX};
	CLEANUP_JSON json_t *config = json_object();
	CLEANUP(jwe_done) struct jwe jwe = {0};

	(void)state;
	assert_int_equal(pin_seal(&cot, "null", config, ref_str("a secret"), &jwe), 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		CLEANUP(job_done) struct job job = {0};
		CLEANUP(buf_done) struct buf secret = {0};

		change(jwe.hdr, "clevis.null.jwk.k", keys[i]);
		expect(keys[i], open_jwe(&jwe, &job, &secret), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens),
		cmocka_unit_test(test_fails),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_wrong_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
