/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The McCallum-Relyea exchange: known multiples of the generators, the algebra, and infinity. */
#include "crypto/ecmr.h"

#include "tests/unit/vectors/jose.h"

/* Multiples of each curve's generator G, computed apart from OpenSSL. */
static const struct {
	const char *name;
	const char *g, *minus_g, *g2, *g3;
	const char *order, *order_less_1; /* as base64url numbers */
} curves[] = {
	{
		"P-256",
		EC_PUBLIC("P-256", "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
			  "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"),
		EC_PUBLIC("P-256", "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
			  "sBy9HAHlgGVxGBS1g_Bh6dQxzKmUzqExNEm_l8hArgo"),
		EC_PUBLIC("P-256", "fPJ7GI0DT36KUjgDBLUaw8CJaeJ38hs1pgtI_EdmmXg",
			  "B3dVENuO0EApPZrGn3Qw27p9reY86YIpngS3nSJ4c9E"),
		EC_PUBLIC("P-256", "Xsvk0aYzCkTI9--VHUvxZebGtyHvramF-0FmG8bn_Ww",
			  "hzRkDEmY_343SwbOGmSi7NgqsDY4T7g9mnmxJ6J9UDI"),
		"_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE",
		"_____wAAAAD__________7zm-q2nF56E87nKwvxjJVA",
	},
	{
		"P-384",
		EC_PUBLIC("P-384",
			  "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3",
			  "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f"),
		EC_PUBLIC("P-384",
			  "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3",
			  "yeghtWnZ05CiYWdAbW0j1gcL4kLXZeuDFiXO7EoPRz71n04w4oF-YoW84oRvFfGg"),
		EC_PUBLIC("P-384",
			  "CNmZBXuj0tlpJgBFxVuX8IkCWVmm9DTWUdIH0Z-5bp5P4Ohuvg5k-FuWqcdSld9h",
			  "joDx-lsbPO23v-jf_W26dLJ12HW8bMQ-kE5QXyVqtCVf_UPpTTniLWFQHnAKlA6A"),
		EC_PUBLIC("P-384",
			  "B3pB1GBv-hRkeTx-X9x9mMudORAgLc0GvqTyQNNWbaa0CLuuUCZYDQLX5ccFAMgx",
			  "yZX3ygsMQoN9C76WAqn8mYUgtByFEVql92hMDtwRHqzCSr1r5LXSmLZfKGAKLx3x"),
		"________________________________x2NNgfQ3Ld9YGg2ySLCneuzsGWrMxSlz",
		"________________________________x2NNgfQ3Ld9YGg2ySLCneuzsGWrMxSly",
	},
	{
		"P-521",
		EC_PUBLIC("P-521",
			  "AMaFjga3BATpzZ4-y2YjlbRCnGSBOQU_tSH4KK9ga009uqFLXnfv51ko_h3BJ6L_"
			  "qN4zSLPBhWpCm_l-fjHC5b1m",
			  "ARg5KWp4mjvABFyKX7QsfRvZmPVESVebRGgXr70XJz5mLJfucple9CZAxVC5AT-t"
			  "B2E1PHCGonLCQIi-lHaf0WZQ"),
		EC_PUBLIC("P-521",
			  "AMaFjga3BATpzZ4-y2YjlbRCnGSBOQU_tSH4KK9ga009uqFLXnfv51ko_h3BJ6L_"
			  "qN4zSLPBhWpCm_l-fjHC5b1m",
			  "AOfG1pWHZcQ_-6N1oEvTguQmZwq7tqhku5foUELo2MGZ02gRjWahC9m_Oq9G_sBS"
			  "-J7Kw495XY09v3dBa4lgLpmv"),
		EC_PUBLIC("P-521",
			  "AEM8IZAkJ35-aC_LKIFIwoJ0dAMnmxzMBjUsblUF12m-l7OyBNpu9VUHqhBKOjXF"
			  "r0HPL6Nk1g_ZZ_Q-OTO6bXg9",
			  "APS7jMf4bbJnAKfz7O7u0_C1xrUQfE2pd0CrIaKZBsQtu7Pjd96fJR9rk5N_qZoy"
			  "SPTq_L6V7cD09xvjVtZh9BsC"),
		EC_PUBLIC("P-521",
			  "Aac9NSRD3ikZXdkdamS1lZR5tSpuWxI9mrnlrXoRLXqN0a0_Fko6SDIFHaa9FrWf"
			  "4huutJCGLDLqBaWRnS7eN619",
			  "AT6bA7l9-mLd2ZefhsbKuBTy8VV_qCqdAxfS-Ksfo1XO7C4t1M-NxXWwLVrO0d7D"
			  "xwzxBcm8k6WQQl9YjKHuhsDl"),
		"Af__________________________________________-lGGh4O_L5Zrf8wBSPcJpdA7tcm4iZxHrrtv"
		"tx6ROGQJ",
		"Af__________________________________________-lGGh4O_L5Zrf8wBSPcJpdA7tcm4iZxHrrtv"
		"tx6ROGQI",
	},
};

/* A key with this private value alone, in or out of range: what no reader would let in. */
static struct jwk scalar_of(const char *name, const char *number)
{
	CLEANUP_JSON json_t *json = json_pack("{s:s}", "d", number);
	struct jwk key = {.curve = curve_by_name(name), .has_private = true};
	struct buf bytes = {0};

	assert_int_equal(js_b64(json, "d", &bytes), 0);
	assert_int_equal(bytes.n, key.curve->size);
	memcpy(key.d, bytes.p, bytes.n);
	buf_done(&bytes);
	return key;
}

static struct jwk small_scalar(const char *name, uint8_t d)
{
	struct jwk key = {.curve = curve_by_name(name), .has_private = true};

	key.d[key.curve->size - 1] = d;
	return key;
}

static bool same_point(const struct jwk *a, const struct jwk *b)
{
	return a->curve == b->curve && memcmp(a->x, b->x, a->curve->size) == 0 &&
	       memcmp(a->y, b->y, a->curve->size) == 0;
}

static void assert_is(const char *what, int r, const struct jwk *got, const char *want)
{
	struct jwk key = key_of(want);

	expect(what, r, 0);
	if (!same_point(got, &key))
		fail_msg("%s: a wrong point", what);
	assert_false(got->has_private);
	assert_int_equal(got->ops, 0);
	assert_null(got->k.p);
}

static void test_known_multiples(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		struct jwk g = key_of(curves[i].g), g2 = key_of(curves[i].g2), got = {0};
		struct jwk minus_g = key_of(curves[i].minus_g);
		struct jwk one = small_scalar(curves[i].name, 1);
		struct jwk two = small_scalar(curves[i].name, 2);
		struct jwk three = small_scalar(curves[i].name, 3);
		struct jwk last = scalar_of(curves[i].name, curves[i].order_less_1);

		assert_is("G + G", ecmr_add(&g, &g, &got), &got, curves[i].g2);
		assert_is("2G + G", ecmr_add(&g2, &g, &got), &got, curves[i].g3);
		assert_is("G + 2G", ecmr_add(&g, &g2, &got), &got, curves[i].g3);
		assert_is("2G - G", ecmr_sub(&g2, &g, &got), &got, curves[i].g);
		assert_is("G - 2G", ecmr_sub(&g, &g2, &got), &got, curves[i].minus_g);
		assert_is("G - -G", ecmr_sub(&g, &minus_g, &got), &got, curves[i].g2);
		assert_is("2G + -G", ecmr_add(&g2, &minus_g, &got), &got, curves[i].g);
		assert_is("1 * G", ecmr_mul(&g, &one, &got), &got, curves[i].g);
		assert_is("2 * G", ecmr_mul(&g, &two, &got), &got, curves[i].g2);
		assert_is("3 * G", ecmr_mul(&g, &three, &got), &got, curves[i].g3);
		assert_is("(n - 1) * G", ecmr_mul(&g, &last, &got), &got, curves[i].minus_g);
		assert_is("(n - 1) * -G", ecmr_mul(&minus_g, &last, &got), &got, curves[i].g);
	}
}

/* Client: X = E + tG; server: Y = sX; client: Z = Y - tS; all agree on Z = eS. */
static void test_exchange(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		const struct curve *curve = curve_by_name(curves[i].name);
		struct jwk s = {0}, e = {0}, t = {0}, x = {0}, y = {0}, ts = {0}, z = {0}, es = {0};
		struct jwk se = {0};

		assert_int_equal(jwk_generate(curve, &s), 0);
		assert_int_equal(jwk_generate(curve, &e), 0);
		assert_int_equal(jwk_generate(curve, &t), 0);

		assert_int_equal(ecmr_add(&e, &t, &x), 0);
		assert_int_equal(ecmr_mul(&x, &s, &y), 0);
		assert_int_equal(ecmr_mul(&s, &t, &ts), 0);
		assert_int_equal(ecmr_sub(&y, &ts, &z), 0);
		assert_int_equal(ecmr_mul(&s, &e, &es), 0);
		assert_int_equal(ecmr_mul(&e, &s, &se), 0);

		assert_true(same_point(&z, &es));
		assert_true(same_point(&z, &se));
		assert_false(same_point(&y, &es)); /* the blinding did something */
		assert_false(same_point(&x, &e));
		assert_false(z.has_private || x.has_private || y.has_private);
	}
}

/* RFC 7518 appendix C */
static void test_published_shared_secret(void **state)
{
	struct jwk alice = key_of(EC_PRIVATE("P-256", C_ALICE_X, C_ALICE_Y, C_ALICE_D));
	struct jwk bob = key_of(EC_PRIVATE("P-256", C_BOB_X, C_BOB_Y, C_BOB_D));
	struct jwk z = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		CLEANUP_JSON json_t *json = NULL;

		assert_int_equal(ecmr_mul(i ? &alice : &bob, i ? &bob : &alice, &z), 0);
		json = jwk_to_json(&z);
		assert_string_equal(js_str(json, "x"), C_Z);
	}
}

static void expect_error(const char *what, int r, int want, const struct jwk *got)
{
	expect(what, r, want);
	assert_untouched(what, got, sizeof(*got));
}

static void test_infinity(void **state)
{
	struct jwk got;

	(void)state;
	memset(&got, UNTOUCHED, sizeof(got));
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		struct jwk g = key_of(curves[i].g), minus_g = key_of(curves[i].minus_g);
		struct jwk zero = small_scalar(curves[i].name, 0);
		struct jwk order = scalar_of(curves[i].name, curves[i].order);

		expect_error("a + -a", ecmr_add(&g, &minus_g, &got), -EBADMSG, &got);
		expect_error("-a + a", ecmr_add(&minus_g, &g, &got), -EBADMSG, &got);
		expect_error("a - a", ecmr_sub(&g, &g, &got), -EBADMSG, &got);
		expect_error("0 * a", ecmr_mul(&g, &zero, &got), -EBADMSG, &got);
		expect_error("n * a", ecmr_mul(&g, &order, &got), -EBADMSG, &got);
	}
}

static void test_callers_bugs(void **state)
{
	struct jwk oct = key_of("{\"kty\":\"oct\",\"k\":\"AAAA\"}"), got;

	(void)state;
	memset(&got, UNTOUCHED, sizeof(got));
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		struct jwk a = key_of(curves[i].g);
		struct jwk b = key_of(curves[(i + 1) % ARRAY_SIZE(curves)].g);
		struct jwk d = small_scalar(b.curve->name, 2),
			   own = small_scalar(curves[i].name, 2);

		expect_error("add, curves differ", ecmr_add(&a, &b, &got), -EINVAL, &got);
		expect_error("sub, curves differ", ecmr_sub(&a, &b, &got), -EINVAL, &got);
		expect_error("mul, curves differ", ecmr_mul(&a, &d, &got), -EINVAL, &got);
		expect_error("mul, no private part", ecmr_mul(&a, &a, &got), -EINVAL, &got);
		expect_error("add, no curve", ecmr_add(&a, &oct, &got), -EINVAL, &got);
		expect_error("sub, no curve", ecmr_sub(&oct, &a, &got), -EINVAL, &got);
		expect_error("both without curve", ecmr_add(&oct, &oct, &got), -EINVAL, &got);
		expect_error("mul, no curve", ecmr_mul(&oct, &own, &got), -EINVAL, &got);
		expect_error("mul by oct", ecmr_mul(&a, &oct, &got), -EINVAL, &got);
	}
	jwk_done(&oct);
}

/* No reader lets such a point in; the arithmetic does not rely on it. */
static void test_off_curve(void **state)
{
	struct jwk got;

	(void)state;
	memset(&got, UNTOUCHED, sizeof(got));
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		struct jwk g = key_of(curves[i].g), off = key_of(curves[i].g2);
		struct jwk d = small_scalar(curves[i].name, 2);

		off.y[off.curve->size - 1] ^= 1;
		expect_error("add", ecmr_add(&g, &off, &got), -EBADMSG, &got);
		expect_error("add", ecmr_add(&off, &g, &got), -EBADMSG, &got);
		expect_error("sub", ecmr_sub(&g, &off, &got), -EBADMSG, &got);
		expect_error("mul", ecmr_mul(&off, &d, &got), -EBADMSG, &got);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_multiples),
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_published_shared_secret),
		cmocka_unit_test(test_infinity),
		cmocka_unit_test(test_callers_bugs),
		cmocka_unit_test(test_off_curve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
