/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bridge to OpenSSL: what is a point, what is not, and a clean error queue behind it. */
#include "crypto/ec.h"

#include "tests/unit/vectors/jose.h"

DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)

static const char *const curve_names[] = {"P-256", "P-384", "P-521"};

static const char *const keys[] = {
	EC_PRIVATE("P-256", A3_X, A3_Y, A3_D),
	EC_PRIVATE("P-384", P384_X, P384_Y, P384_D),
	EC_PRIVATE("P-521", A4_X, A4_Y, A4_D),
};

static void test_groups(void **state)
{
	static const size_t bits[] = {256, 384, 521};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(curve_names); i++) {
		const struct curve *curve = curve_by_name(curve_names[i]);
		CLEANUP(EC_GROUP_freep) EC_GROUP *group = ec_group(curve);

		assert_non_null(group);
		assert_int_equal(EC_GROUP_get_curve_name(group), curve->nid);
		assert_int_equal(EC_GROUP_get_degree(group), bits[i]);
		assert_int_equal(curve->size, (bits[i] + 7) / 8);
		assert_true(curve->size <= EC_COORD_MAX);
	}
}

static void test_load_and_store(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct jwk key = key_of(keys[i]), stored = {.curve = key.curve};
		CLEANUP(EC_GROUP_freep) EC_GROUP *group = ec_group(key.curve);
		CLEANUP(EC_POINT_clear_freep) EC_POINT *point = NULL;
		CLEANUP(EC_POINT_clear_freep) EC_POINT *own = NULL;

		assert_int_equal(ec_point_load(group, &key, &point), 0);
		assert_int_equal(EC_POINT_is_on_curve(group, point, NULL), 1);
		assert_int_equal(ec_point_store(group, point, &stored), 0);
		assert_memory_equal(stored.x, key.x, key.curve->size);
		assert_memory_equal(stored.y, key.y, key.curve->size);

		/* d times the generator is the public point */
		assert_int_equal(ec_multiply(group, NULL, &key, &own), 0);
		assert_int_equal(EC_POINT_cmp(group, own, point, NULL), 0);
		jwk_done(&key);
	}
}

static void test_multiply_of_a_point(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct jwk key = key_of(keys[i]);
		CLEANUP(EC_GROUP_freep) EC_GROUP *group = ec_group(key.curve);
		CLEANUP(EC_POINT_clear_freep) EC_POINT *got = NULL;
		CLEANUP(EC_POINT_clear_freep) EC_POINT *public = NULL;

		assert_int_equal(ec_point_load(group, &key, &public), 0);
		assert_int_equal(ec_multiply(group, EC_GROUP_get0_generator(group), &key, &got), 0);
		assert_int_equal(EC_POINT_cmp(group, got, public, NULL), 0);
		jwk_done(&key);
	}
}

/* OpenSSL's own check takes the two parts of a pair for each other's. */
static void test_pkey(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct jwk key = key_of(keys[i]);
		CLEANUP(EVP_PKEY_freep) EVP_PKEY *pair = NULL;
		CLEANUP(EVP_PKEY_freep) EVP_PKEY *public = NULL;
		CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL;
		CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *public_ctx = NULL;

		assert_int_equal(ec_pkey(&key, true, &pair), 0);
		assert_int_equal(ec_pkey(&key, false, &public), 0);
		assert_int_equal(EVP_PKEY_eq(pair, public), 1);
		ctx = EVP_PKEY_CTX_new(pair, NULL);
		public_ctx = EVP_PKEY_CTX_new(public, NULL);
		assert_int_equal(EVP_PKEY_pairwise_check(ctx), 1);
		assert_int_not_equal(EVP_PKEY_private_check(public_ctx), 1);
		jwk_done(&key);
	}
}

static void test_pkey_refuses(void **state)
{
	struct jwk key = key_of(keys[0]);
	EVP_PKEY *pkey = NULL;

	(void)state;
	key.y[0] ^= 1;
	assert_int_equal(ec_pkey(&key, false, &pkey), -ENOMEM);
	assert_null(pkey);
	jwk_done(&key);
	ERR_clear_error();
}

/* x and y that are no point; `ret` must stay as it was. */
static void test_load_refuses(void **state)
{
	static const struct {
		const char *what;
		size_t byte; /* of x, then y */
		uint8_t flip;
	} cases[] = {
		{"last bit of x", 31, 0x01}, {"first bit of x", 0, 0x80},
		{"last bit of y", 63, 0x01}, {"first bit of y", 32, 0x80},
		{"middle of y", 48, 0x10},
	};
	EC_POINT *const untouched = (EC_POINT *)&cases;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct jwk key = key_of(keys[0]);
		CLEANUP(EC_GROUP_freep) EC_GROUP *group = ec_group(key.curve);
		EC_POINT *point = untouched;

		(cases[i].byte < 32 ? key.x : key.y)[cases[i].byte % 32] ^= cases[i].flip;
		expect(cases[i].what, ec_point_load(group, &key, &point), -EBADMSG);
		assert_ptr_equal(point, untouched);
		jwk_done(&key);
	}
}

static void test_load_refuses_zero_and_all_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(curve_names); i++) {
		struct jwk key = {.curve = curve_by_name(curve_names[i])};
		CLEANUP(EC_GROUP_freep) EC_GROUP *group = ec_group(key.curve);
		EC_POINT *point = NULL;

		assert_int_equal(ec_point_load(group, &key, &point), -EBADMSG);
		memset(key.x, 0xff, sizeof(key.x));
		memset(key.y, 0xff, sizeof(key.y));
		assert_int_equal(ec_point_load(group, &key, &point), -EBADMSG);
		assert_null(point);
	}
}

static void test_store_refuses_infinity(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(curve_names); i++) {
		struct jwk key = {.curve = curve_by_name(curve_names[i])};
		const struct jwk untouched = key;
		CLEANUP(EC_GROUP_freep) EC_GROUP *group = ec_group(key.curve);
		CLEANUP(EC_POINT_clear_freep) EC_POINT *point = EC_POINT_new(group);

		assert_int_equal(EC_POINT_set_to_infinity(group, point), 1);
		assert_int_equal(ec_point_store(group, point, &key), -EBADMSG);
		assert_memory_equal(&key, &untouched, sizeof(key));
	}
}

static void fail_somewhere_in_openssl(void)
{
	CLEANUP_JSON json_t *json = json_of(EC_PUBLIC("P-256", A3_X, A3_X));
	struct jwk key = {0};

	assert_int_equal(jwk_from_json(json, &key), -EBADMSG);
}

/* The host's error queue, empty or not, is left as it was found. */
static void test_error_queue(void **state)
{
	(void)state;
	ERR_clear_error();
	fail_somewhere_in_openssl();
	assert_int_equal(ERR_peek_error(), 0);

	ERR_raise(ERR_LIB_USER, 42);
	ERR_raise(ERR_LIB_USER, 43);
	fail_somewhere_in_openssl();
	fail_somewhere_in_openssl();
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 43);
	assert_int_equal(ERR_get_error(), 0);

	/* a mark of the host's own survives too */
	ERR_raise(ERR_LIB_USER, 44);
	assert_int_equal(ERR_set_mark(), 1);
	ERR_raise(ERR_LIB_USER, 45);
	fail_somewhere_in_openssl();
	assert_int_equal(ERR_pop_to_mark(), 1);
	assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), 44);
	ERR_clear_error();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_load_and_store),
		cmocka_unit_test(test_multiply_of_a_point),
		cmocka_unit_test(test_pkey),
		cmocka_unit_test(test_pkey_refuses),
		cmocka_unit_test(test_load_refuses),
		cmocka_unit_test(test_load_refuses_zero_and_all_ones),
		cmocka_unit_test(test_store_refuses_infinity),
		cmocka_unit_test(test_error_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
