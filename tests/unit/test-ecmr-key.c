/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A key made ready multiplies as ecmr_mul() does, and refuses what nobody has checked before it. */
#include "crypto/ecmr-key.h"

#include "crypto/ec.h"
#include "crypto/ecmr.h"
#include "tests/unit/vectors/jose.h"

static const char *const names[] = {"P-256", "P-384", "P-521"};

static struct jwk generated(const char *name)
{
	struct jwk key = {0};

	assert_int_equal(jwk_generate(curve_by_name(name), &key), 0);
	return key;
}

static struct ecmr_key *ready(const struct jwk *key)
{
	struct ecmr_key *made = NULL;

	assert_int_equal(ecmr_key_new(key, &made), 0);
	return made;
}

static void test_same_as_ecmr(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct jwk server = generated(names[i]);
		CLEANUP(ecmr_key_freep) struct ecmr_key *key = ready(&server);

		for (int n = 0; n < 20; n++) {
			struct jwk client = generated(names[i]), want = {0}, got = {0};

			assert_int_equal(ecmr_mul(&client, &server, &want), 0);
			assert_int_equal(ecmr_key_mul(key, &client, &got), 0);
			assert_memory_equal(&got, &want, sizeof(got));
		}
	}
}

static void expect_refused_point(const char *what, const struct ecmr_key *key,
				 const struct jwk *point)
{
	struct jwk got;

	memset(&got, UNTOUCHED, sizeof(got));
	expect(what, ecmr_key_mul(key, point, &got), -EBADMSG);
	assert_untouched(what, &got, sizeof(got));
}

static void test_bad_points(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct jwk server = generated(names[i]), point = generated(names[i]);
		struct jwk other = generated(names[(i + 1) % ARRAY_SIZE(names)]);
		struct jwk zero = {.curve = server.curve}, none = {0};
		CLEANUP(ecmr_key_freep) struct ecmr_key *key = ready(&server);

		expect_refused_point("another curve", key, &other);
		expect_refused_point("no curve", key, &none);
		expect_refused_point("zeros", key, &zero);
		point.y[0] ^= 1;
		expect_refused_point("off the curve", key, &point);
		memset(point.x, 0xff, sizeof(point.x));
		expect_refused_point("beyond the field", key, &point);
	}
}

/* Such a key has no file, as a reader refuses it; an answer at infinity would tell it. */
static void test_infinity(void **state)
{
	struct jwk zero = {.curve = curve_by_name("P-256"), .has_private = true};
	CLEANUP(ecmr_key_freep) struct ecmr_key *key = ready(&zero);
	struct jwk point = generated("P-256");

	(void)state;
	expect_refused_point("infinity", key, &point);
}

static void test_callers_bugs(void **state)
{
	struct jwk public = key_of(EC_PUBLIC("P-256", A3_X, A3_Y)), none = {0};
	struct ecmr_key *key = NULL;

	(void)state;
	assert_int_equal(ecmr_key_new(&public, &key), -EINVAL);
	assert_int_equal(ecmr_key_new(&none, &key), -EINVAL);
	assert_null(key);
}

/* What OpenSSL says of a bad point is not left to whoever looks next. */
static void test_error_queue(void **state)
{
	struct jwk server = generated("P-256"), zero = {.curve = server.curve}, got;
	CLEANUP(ecmr_key_freep) struct ecmr_key *key = ready(&server);

	(void)state;
	ERR_clear_error();
	assert_int_equal(ecmr_key_mul(key, &zero, &got), -EBADMSG);
	assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_ecmr), cmocka_unit_test(test_bad_points),
		cmocka_unit_test(test_infinity),     cmocka_unit_test(test_callers_bugs),
		cmocka_unit_test(test_error_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
