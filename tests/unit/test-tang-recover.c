/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recovery by the tang pin: what is sent, what is made of each answer, and who can fool it. */
#include "tests/unit/network.h"

#include "tests/unit/vectors/tang.h"

#define URL    "http://tang.test"
#define SECRET "the secret of this test"

static const struct pin *const table[] = {&pin_tang, NULL};
static const char *const curve_names[] = {"P-256", "P-384", "P-521"};

/* The binding that the answers below are about, to a server made by network_begin(). */
static struct jwe bound;

static void bind_to(const char *curve)
{
	struct lines lines;
	CLEANUP(cot_done) struct cot cot = {.pins = table, .log = lines_begin(&lines)};
	CLEANUP_JSON json_t *cfg = NULL;

	network_begin(curve);
	cfg = json_pack("{s:s, s:o}", "url", URL, "adv", usual_adv(&net.sign, &net.exchange));
	jwe_done(&bound);
	assert_int_equal(pin_seal(&cot, "tang", cfg, ref_str(SECRET), &bound), 0);
}

static int unbind(void **state)
{
	jwe_done(&bound);
	return network_end(state);
}

/* `why`: what is told in the end. A failure leaves `ret` alone. */
static int recover(const char *what, const struct jwe *jwe, char why[LOG_LINE_MAX], struct buf *ret)
{
	struct lines lines;
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = table,
		.log = lines_begin(&lines),
		.deadline_us = now_us() + 60ull * USEC_PER_SEC,
	};
	CLEANUP(job_done) struct job job = {0};
	struct buf secret;
	int r;

	memset(&secret, UNTOUCHED, sizeof(secret));
	r = job_init(&job, &cot, jwe);
	if (r == 0)
		r = pin_recover(&cot, &job, &secret);
	keep_text(why, LOG_LINE_MAX, job.why);
	if (r == 0) {
		*ret = secret;
	} else {
		assert_untouched(what, &secret, sizeof(secret));
		if (!why[0])
			fail_msg("%s: no word about it", what);
	}
	assert_int_equal(job.result, r);
	return r;
}

static void expect_secret(const char *what, const struct jwe *jwe, const char *want)
{
	CLEANUP(buf_done) struct buf secret = {0};
	char why[LOG_LINE_MAX];

	expect(what, recover(what, jwe, why, &secret), 0);
	assert_ref_is(buf_ref(&secret), want);
	assert_int_equal(net.alive, 0);
}

static void expect_failure(const char *what, int want, const char *words)
{
	struct buf secret;
	char why[LOG_LINE_MAX];

	expect(what, recover(what, &bound, why, &secret), want);
	if (!strstr(why, words))
		fail_msg("%s: told \"%s\", without \"%s\"", what, why, words);
	assert_int_equal(net.alive, 0);
}

static void test_honest(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(curve_names); i++) {
		bind_to(curve_names[i]);
		expect_secret(curve_names[i], &bound, SECRET);
		expect_secret("again", &bound, SECRET);
		assert_int_equal(net.started, 2);
	}
}

static void test_clevis(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tang_vectors); i++) {
		CLEANUP(jwe_done) struct jwe jwe = {0};

		network_begin(tang_vectors[i].curve);
		jwk_done(&net.exchange);
		net.exchange = key_of(tang_vectors[i].exchange_jwk);
		assert_int_equal(jwe_from_compact(ref_str(tang_vectors[i].jwe), &jwe), 0);
		expect_secret(tang_vectors[i].curve, &jwe, CLEVIS_PLAINTEXT);
	}
}

/* Bindings made when thumbprints were SHA-1 ask by that name. */
static void test_old_thumbprint(void **state)
{
	char kid[JWK_THUMBPRINT_MAX + 1], want[JWK_THUMBPRINT_MAX + 5];
	CLEANUP_JSON json_t *hdr = NULL;
	CLEANUP(buf_done) struct buf cek = {0};
	CLEANUP(jwe_done) struct jwe old = {0};

	(void)state;
	bind_to("P-256");
	assert_int_equal(jwk_thumbprint(&net.exchange, "S1", kid), 0);
	hdr = json_deep_copy(bound.hdr);
	assert_int_equal(json_object_set_new(hdr, "kid", json_string(kid)), 0);
	assert_int_equal(jwe_agree(hdr, &net.exchange, &cek), 0);
	assert_int_equal(jwe_seal(hdr, buf_ref(&cek), ref_str(SECRET), &old), 0);

	expect_secret("S1", &old, SECRET);
	(void)snprintf(want, sizeof(want), "rec/%s", kid);
	assert_string_equal(net.path, want);
}

/* A fresh point each time, which says nothing of the binding, and public members alone. */
static void test_request(void **state)
{
	CLEANUP_JSON json_t *first = NULL;
	CLEANUP_JSON json_t *second = NULL;
	char want[JWK_THUMBPRINT_MAX + 5];
	struct jwk point = {0};
	const json_t *epk;

	(void)state;
	bind_to("P-521");
	epk = json_object_get(bound.hdr, "epk");
	expect_secret("first", &bound, SECRET);
	first = json_of(net.body);
	expect_secret("second", &bound, SECRET);
	second = json_of(net.body);

	(void)snprintf(want, sizeof(want), "rec/%s", js_str(bound.hdr, "kid"));
	assert_string_equal(net.base, URL);
	assert_string_equal(net.path, want);
	assert_int_equal(jwk_from_json(first, &point), 0);
	assert_string_equal(point.curve->name, "P-521");
	assert_string_equal(js_str(first, "alg"), "ECMR");
	assert_int_equal(json_object_size(first), 5); /* alg, crv, kty, x, y */
	assert_string_not_equal(js_str(first, "x"), js_str(second, "x"));
	assert_string_not_equal(js_str(first, "x"), js_str(epk, "x"));
	assert_string_not_equal(js_str(second, "x"), js_str(epk, "x"));
}

static void test_bad_replies(void **state)
{
	static const char not_a_point[] = "did not answer with a point";
	static const struct {
		long status;
		const char *text, *words;
	} cases[] = {
		{404, "", "does not have the key"},
		{500, "", "500"},
		{302, "", "302"},
		{204, "", "204"},
		{503, EC_PUBLIC("P-256", A3_X, A3_Y), "503"},
		{200, "", not_a_point},
		{200, "<html></html>", not_a_point},
		{200, "{", not_a_point},
		{200, "[]", not_a_point},
		{200, "{}", not_a_point},
		{200, "\"" A3_X "\"", not_a_point},
		{200, EC_PUBLIC("P-384", P384_X, P384_Y), not_a_point},
		{200, EC_PUBLIC("P-521", A4_X, A4_Y), not_a_point},
		{200, EC_PUBLIC("P-256", A3_Y, A3_X), not_a_point},
		{200, EC_PUBLIC("P-256", A3_X, A3_X), not_a_point},
		{200, EC_PUBLIC("P-256", A3_X, ""), not_a_point},
		{200, EC_PUBLIC("P-521", A3_X, A3_Y), not_a_point},
		{200, EC_PUBLIC("P-192", A3_X, A3_Y), not_a_point},
		{200, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_X "\"}", not_a_point},
		{200, "{\"kty\":\"oct\",\"k\":\"" A3_X "\"}", not_a_point},
		{200, "{\"kty\":\"RSA\",\"n\":\"" A3_X "\",\"e\":\"AQAB\"}", not_a_point},
		{200, "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" A3_X "\"}", not_a_point},
		{200, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", not_a_point},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bind_to("P-256");
		net.status = cases[i].status;
		net.text = cases[i].text;
		expect_failure(cases[i].text, -EPROTO, cases[i].words);
		expect_failure(cases[i].text, -EPROTO, URL);
	}
}

static struct jwk point_of(struct ref body)
{
	struct jwk point = {0};
	json_t *json = NULL;

	assert_int_equal(js_load(body, &json), 0);
	assert_int_equal(jwk_from_json(json, &point), 0);
	json_decref(json);
	return point;
}

/* s(X - E) = tS: what the client subtracts, so that nothing is left. */
static json_t *answer_infinity(struct ref body)
{
	struct jwk x = point_of(body), e = {0}, difference = {0}, product = {0};

	assert_int_equal(jwk_from_json(json_object_get(bound.hdr, "epk"), &e), 0);
	assert_int_equal(ecmr_sub(&x, &e, &difference), 0);
	assert_int_equal(ecmr_mul(&difference, &net.exchange, &product), 0);
	return jwk_to_json(&product);
}

static json_t *answer_swapped(struct ref body)
{
	json_t *json = exchanged(body, &net.exchange);
	json_t *x = json_incref(json_object_get(json, "x"));

	assert_int_equal(json_object_set(json, "x", json_object_get(json, "y")), 0);
	assert_int_equal(json_object_set_new(json, "y", x), 0);
	return json;
}

static json_t *answer_echo(struct ref body)
{
	struct jwk x = point_of(body);

	return jwk_to_json(&x);
}

static json_t *answer_own_key(struct ref body)
{
	(void)body;
	return jwk_to_json(&net.exchange);
}

static json_t *answer_epk(struct ref body)
{
	(void)body;
	return json_deep_copy(json_object_get(bound.hdr, "epk"));
}

/* By the right rules, with another key. */
static json_t *answer_by_another(struct ref body)
{
	return exchanged(body, &net.sign);
}

static json_t *answer_negated(struct ref body)
{
	struct jwk x = point_of(body), product = {0}, twice = {0}, negated = {0};

	assert_int_equal(ecmr_mul(&x, &net.exchange, &product), 0);
	assert_int_equal(ecmr_add(&product, &product, &twice), 0);
	assert_int_equal(ecmr_sub(&product, &twice, &negated), 0);
	return jwk_to_json(&negated);
}

static json_t *answer_with_more(struct ref body)
{
	json_t *json = exchanged(body, &net.exchange);

	assert_int_equal(json_object_set_new(json, "kid", json_string("1")), 0);
	assert_int_equal(json_object_set_new(json, "d", json_string("AAAA")), 0);
	assert_int_equal(json_object_del(json, "key_ops"), 0);
	return json;
}

static void test_answers(void **state)
{
	static const char lie[] = "does not open this token";
	static const struct {
		const char *what;
		json_t *(*answer)(struct ref body);
		int want;
		const char *words;
	} cases[] = {
		{"infinity", answer_infinity, -EPROTO, "no key can be"},
		{"coordinates swapped", answer_swapped, -EPROTO, "did not answer with a point"},
		{"another key", answer_by_another, -EBADMSG, lie},
		{"negated", answer_negated, -EBADMSG, lie},
		{"echo", answer_echo, -EBADMSG, lie},
		{"its own key", answer_own_key, -EBADMSG, lie},
		{"epk", answer_epk, -EBADMSG, lie},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(curve_names); i++) {
		bind_to(curve_names[i]);
		for (size_t j = 0; j < ARRAY_SIZE(cases); j++) {
			net.answer = cases[j].answer;
			expect_failure(cases[j].what, cases[j].want, cases[j].words);
		}
		net.answer = answer_with_more;
		expect_secret("more members", &bound, SECRET);
	}
}

static void test_network_errors(void **state)
{
	static const int errors[] = {-ENETUNREACH, -EHOSTUNREACH, -ECONNREFUSED, -ETIMEDOUT,
				     -EPROTO,      -EKEYREJECTED, -EOPNOTSUPP};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		bind_to("P-256");
		net.step_error = errors[i];
		expect_failure("step", errors[i], "no answer");
		net.start_error = errors[i];
		expect_failure("start", errors[i], "cannot be used");
	}
}

/* The steps themselves: nothing is sent before it may be, and each state can be left. */
static void test_steps(void **state)
{
	struct buf secret = {0};

	(void)state;
	for (unsigned steps = 0; steps <= 4; steps++) {
		struct lines lines;
		CLEANUP(cot_done)
		struct cot cot = {
			.pins = table,
			.log = lines_begin(&lines),
			.deadline_us = now_us() + 60ull * USEC_PER_SEC,
		};
		CLEANUP(job_done) struct job job = {0};

		bind_to("P-256");
		assert_int_equal(job_init(&job, &cot, &bound), 0);
		for (unsigned i = 0; i < steps; i++) {
			cot.network = i >= 2;
			expect("step", job_step(&cot, &job, &secret), i < 3 ? -EINPROGRESS : 0);
			expect("started", (int)net.started, i >= 2);
		}
		buf_done(&secret);
		job_done(&job);
		assert_int_equal(net.alive, 0);
	}
}

/* Each byte of the JWE, with the server as honest as ever. */
static void test_altered(void **state)
{
	char *text = NULL, why[LOG_LINE_MAX];

	(void)state;
	bind_to("P-256");
	assert_int_equal(jwe_to_compact(&bound, &text), 0);
	for (size_t i = 0; text[i]; i++) {
		CLEANUP(jwe_done) struct jwe jwe = {0};
		struct buf secret;
		char was = text[i];

		text[i] ^= 1;
		if (jwe_from_compact(ref_str(text), &jwe) == 0 &&
		    recover("altered", &jwe, why, &secret) == 0)
			fail_msg("byte %zu altered, and yet opened: %s", i, text);
		text[i] = was;
	}
	free(text);
}

static void test_describe(void **state)
{
	CLEANUP_JSON json_t *facts = json_object();
	char sign[JWK_THUMBPRINT_MAX + 1], exchange[JWK_THUMBPRINT_MAX + 1];
	CLEANUP_JSON json_t *want = NULL;

	(void)state;
	bind_to("P-256");
	assert_int_equal(jwk_thumbprint(&net.sign, "S256", sign), 0);
	assert_int_equal(jwk_thumbprint(&net.exchange, "S256", exchange), 0);
	want = json_pack("{s:s, s:[s], s:s}", "url", URL, "signing_keys", sign, "exchange_key",
			 exchange);
	assert_int_equal(pin_tang.describe(table, bound.hdr, facts), 0);
	assert_true(json_equal(facts, want));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_honest, unbind),
		cmocka_unit_test_teardown(test_clevis, unbind),
		cmocka_unit_test_teardown(test_old_thumbprint, unbind),
		cmocka_unit_test_teardown(test_request, unbind),
		cmocka_unit_test_teardown(test_bad_replies, unbind),
		cmocka_unit_test_teardown(test_answers, unbind),
		cmocka_unit_test_teardown(test_network_errors, unbind),
		cmocka_unit_test_teardown(test_steps, unbind),
		cmocka_unit_test_teardown(test_altered, unbind),
		cmocka_unit_test_teardown(test_describe, unbind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
