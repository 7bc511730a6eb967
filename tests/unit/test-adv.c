/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Advertisements: which are believed, which key is chosen, and what a token keeps of them. */
#include "tang/adv.h"

#include "crypto/jws.h"
#include "tests/unit/lines.h"
#include "tests/unit/server.h"
#include "tests/unit/vectors/tang.h"

#define WHERE  "http://tang.test/adv"
#define VERIFY "[\"verify\"]"
#define DERIVE "[\"deriveKey\"]"

/* The keys that the tables below call by name, made once. */
static struct named_key {
	const char *name, *curve, *key_ops;
	struct jwk key;
} pool[] = {
	{.name = "sign-256", .curve = "P-256", .key_ops = VERIFY},
	{.name = "sign-384", .curve = "P-384", .key_ops = VERIFY},
	{.name = "sign-521", .curve = "P-521", .key_ops = VERIFY},
	{.name = "second-256", .curve = "P-256", .key_ops = VERIFY},
	{.name = "stranger-256", .curve = "P-256", .key_ops = VERIFY},
	{.name = "exchange-256", .curve = "P-256", .key_ops = DERIVE},
	{.name = "exchange-384", .curve = "P-384", .key_ops = DERIVE},
	{.name = "exchange-521", .curve = "P-521", .key_ops = DERIVE},
	{.name = "silent-256", .curve = "P-256"},
	{.name = "sealing-256", .curve = "P-256", .key_ops = "[\"encrypt\",\"wrapKey\"]"},
	{.name = "empty-256", .curve = "P-256", .key_ops = "[]"},
};

static int make_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pool); i++)
		assert_int_equal(jwk_generate(curve_by_name(pool[i].curve), &pool[i].key), 0);
	return 0;
}

static int wipe_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pool); i++)
		jwk_done(&pool[i].key);
	return 0;
}

static const struct named_key *named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(pool); i++)
		if (strcmp(pool[i].name, name) == 0)
			return &pool[i];
	fail_msg("the test knows no key %s", name);
	return NULL;
}

/* Steps over a list of names, separated by a blank. */
static const struct named_key *next_named(const char **list)
{
	size_t n = strcspn(*list, " ");
	char name[32] = "";

	if (n == 0)
		return NULL;
	memcpy(name, *list, n);
	*list += n + ((*list)[n] == ' ');
	return named(name);
}

static json_t *jwks_of(const char *names)
{
	json_t *keys = json_array();
	const struct named_key *k;

	while ((k = next_named(&names)))
		assert_int_equal(
			json_array_append_new(keys, written_key(&k->key, NULL, k->key_ops)), 0);
	return json_pack("{s:o}", "keys", keys);
}

static json_t *signed_by(const json_t *jwks, const char *names)
{
	const struct jwk *signers[ARRAY_SIZE(pool)];
	const struct named_key *k;
	size_t n = 0;

	while ((k = next_named(&names)))
		signers[n++] = &k->key;
	return signed_jws(jwks, signers, n);
}

static void thumbprint_of(const char *name, const char *alg, char ret[JWK_THUMBPRINT_MAX + 1])
{
	assert_int_equal(jwk_thumbprint(&named(name)->key, alg, ret), 0);
}

/* Parses from memory of just the text's size. A failure leaves `ret` alone and tells where. */
static int parse_text(const char *what, struct ref text, struct lines *lines, struct adv *ret)
{
	CLEANUP(buf_done) struct buf exact = {0};
	struct adv adv;
	int r;

	memset(&adv, UNTOUCHED, sizeof(adv));
	assert_int_equal(buf_copy(&exact, text), 0);
	r = adv_parse(buf_ref(&exact), WHERE, lines_begin(lines), &adv);
	if (r == 0) {
		*ret = adv;
	} else {
		assert_untouched(what, &adv, sizeof(adv));
		assert_told(what, lines, WHERE);
	}
	return r;
}

/* Takes the JWS over. */
static int parse(const char *what, json_t *jws, struct lines *lines, struct adv *ret)
{
	char *text = NULL;
	int r;

	assert_int_equal(js_dump(jws, &text), 0);
	json_decref(jws);
	r = parse_text(what, ref_str(text), lines, ret);
	free(text);
	return r;
}

static void assert_same_key(const char *what, const struct jwk *got, const struct jwk *want)
{
	if (!got || got->curve != want->curve || memcmp(got->x, want->x, want->curve->size) != 0 ||
	    memcmp(got->y, want->y, want->curve->size) != 0)
		fail_msg("%s: another key", what);
}

static void assert_thumbprints(const char *what, const struct adv *adv, const char *names)
{
	CLEANUP_JSON json_t *got = adv_thumbprints(adv);
	CLEANUP_JSON json_t *want = json_array();
	char thumbprint[JWK_THUMBPRINT_MAX + 1];
	const struct named_key *k;

	while ((k = next_named(&names))) {
		thumbprint_of(k->name, "S256", thumbprint);
		assert_int_equal(json_array_append_new(want, json_string(thumbprint)), 0);
	}
	if (!json_equal(got, want))
		fail_msg("%s: other thumbprints", what);
}

static void test_good(void **state)
{
	static const struct {
		const char *keys, *signers, *signing, *exchange;
	} cases[] = {
		{"sign-256 exchange-256", "sign-256", "sign-256", "exchange-256"},
		{"sign-384 exchange-384", "sign-384", "sign-384", "exchange-384"},
		{"exchange-521 sign-521", "sign-521", "sign-521", "exchange-521"},
		{"sign-256 exchange-521", "sign-256", "sign-256", "exchange-521"},
		{"sign-256 sign-384 sign-521 exchange-521", "sign-256 sign-384 sign-521",
		 "sign-256 sign-384 sign-521", "exchange-521"},
		{"sign-256 second-256 exchange-384", "second-256 sign-256", "sign-256 second-256",
		 "exchange-384"},
		{"sign-256 exchange-256", "stranger-256 sign-256", "sign-256", "exchange-256"},
		{"exchange-384 sign-256 exchange-256 exchange-521", "sign-256", "sign-256",
		 "exchange-384"},
		{"silent-256 sealing-256 empty-256 sign-256 exchange-256", "sign-256", "sign-256",
		 "exchange-256"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *jwks = jwks_of(cases[i].keys);
		CLEANUP(adv_done) struct adv adv = {0};
		const char *what = cases[i].keys;
		struct lines lines;

		expect(what, parse(what, signed_by(jwks, cases[i].signers), &lines, &adv), 0);
		assert_told(what, &lines, NULL);
		assert_int_equal(adv.n_keys, json_array_size(json_object_get(jwks, "keys")));
		assert_same_key(what, adv_exchange_key(&adv), &named(cases[i].exchange)->key);
		assert_thumbprints(what, &adv, cases[i].signing);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *what, *keys, *signers;
		int want;
		const char *words;
	} cases[] = {
		{"unsigned", "sign-256 exchange-256", "", -EKEYREJECTED, "not signed by"},
		{"by a stranger", "sign-256 exchange-256", "stranger-256", -EKEYREJECTED,
		 "not signed by"},
		{"by the exchange key", "sign-256 exchange-256", "exchange-256", -EKEYREJECTED,
		 "not signed by"},
		{"by the first alone", "sign-256 sign-521 exchange-256", "sign-256", -EKEYREJECTED,
		 "not signed by"},
		{"by the second alone", "sign-256 second-256 exchange-256", "second-256",
		 -EKEYREJECTED, "not signed by"},
		{"one twice, one not", "sign-256 second-256 exchange-256", "sign-256 sign-256",
		 -EKEYREJECTED, "not signed by"},
		{"no signing key", "exchange-256", "stranger-256", -EPROTO, "no signing key"},
		{"no key_ops, yet signed", "silent-256 exchange-256", "silent-256", -EPROTO,
		 "no signing key"},
		{"empty key_ops, yet signed", "empty-256 exchange-256", "empty-256", -EPROTO,
		 "no signing key"},
		{"no keys", "", "sign-256", -EPROTO, "no signing key"},
		{"no exchange key", "sign-256", "sign-256", -EPROTO, "no exchange key"},
		{"no key_ops to exchange", "sign-256 silent-256", "sign-256", -EPROTO,
		 "no exchange key"},
		{"other key_ops", "sign-256 sealing-256", "sign-256", -EPROTO, "no exchange key"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *jwks = jwks_of(cases[i].keys);
		struct lines lines;
		struct adv adv;

		expect(cases[i].what,
		       parse(cases[i].what, signed_by(jwks, cases[i].signers), &lines, &adv),
		       cases[i].want);
		assert_told(cases[i].what, &lines, cases[i].words);
	}
}

/* A person must see which key did not sign. */
static void test_refusal_names_the_key(void **state)
{
	CLEANUP_JSON json_t *jwks = jwks_of("sign-256 second-256 exchange-256");
	char thumbprint[JWK_THUMBPRINT_MAX + 1];
	struct lines lines;
	struct adv adv;

	(void)state;
	assert_int_equal(parse("partly signed", signed_by(jwks, "sign-256"), &lines, &adv),
			 -EKEYREJECTED);
	thumbprint_of("second-256", "S256", thumbprint);
	assert_told("partly signed", &lines, thumbprint);
}

static void test_find(void **state)
{
	CLEANUP_JSON json_t *jwks = jwks_of("sign-256 silent-256 exchange-521");
	static const char *const algs[] = {"S256", "S1"};
	char thumbprint[JWK_THUMBPRINT_MAX + 1];
	CLEANUP(adv_done) struct adv adv = {0};
	struct lines lines;

	(void)state;
	assert_int_equal(parse("find", signed_by(jwks, "sign-256"), &lines, &adv), 0);
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
		thumbprint_of("sign-256", algs[i], thumbprint);
		assert_same_key(algs[i], adv_find(&adv, thumbprint), &named("sign-256")->key);
		assert_true(adv_signed_by(&adv, thumbprint));

		thumbprint_of("exchange-521", algs[i], thumbprint);
		assert_same_key(algs[i], adv_find(&adv, thumbprint), &named("exchange-521")->key);
		assert_false(adv_signed_by(&adv, thumbprint));

		thumbprint_of("silent-256", algs[i], thumbprint);
		assert_false(adv_signed_by(&adv, thumbprint));

		thumbprint_of("stranger-256", algs[i], thumbprint);
		assert_null(adv_find(&adv, thumbprint));
		assert_false(adv_signed_by(&adv, thumbprint));
	}
	assert_null(adv_find(&adv, ""));
	thumbprint[5] = '\0';
	assert_null(adv_find(&adv, thumbprint));
}

/* The signing keys and the one exchange key, with known members alone, private ones never. */
static void test_to_jwks(void **state)
{
	CLEANUP_JSON json_t *jwks =
		jwks_of("silent-256 exchange-384 sign-256 exchange-521 sign-521");
	CLEANUP_JSON json_t *want = json_pack(
		"{s:[o, o, o]}", "keys", written_key(&named("sign-256")->key, "ES256", VERIFY),
		written_key(&named("sign-521")->key, "ES512", VERIFY),
		written_key(&named("exchange-384")->key, "ECMR", DERIVE));
	CLEANUP(adv_done) struct adv adv = {0};
	CLEANUP_JSON json_t *more = json_of("{\"kid\":\"1\",\"x5c\":[\"MIIB\"],\"d\":\"AAAA\"}");
	CLEANUP_JSON json_t *got = NULL;
	struct lines lines;
	json_t *key;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(jwks, "keys"), i, key)
		assert_int_equal(json_object_update(key, more), 0);
	assert_int_equal(parse("more members", signed_by(jwks, "sign-256 sign-521"), &lines, &adv),
			 0);
	got = adv_to_jwks(&adv, adv_exchange_key(&adv));
	assert_true(json_equal(got, want));

	adv_done(&adv);
	assert_int_equal(adv_from_jwks(got, WHERE, NULL, &adv), 0);
	assert_int_equal(adv.n_keys, 3);
	assert_same_key("again", adv_exchange_key(&adv), &named("exchange-384")->key);
	assert_thumbprints("again", &adv, "sign-256 sign-521");
}

static void test_real_servers(void **state)
{
	CLEANUP(adv_done) struct adv rotated = {0};
	struct lines lines;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tang_vectors); i++) {
		const struct tang_vector *v = &tang_vectors[i];
		struct jwk exchange = key_of(v->exchange_jwk);
		CLEANUP(adv_done) struct adv adv = {0};

		expect(v->curve, parse_text(v->curve, ref_str(v->adv), &lines, &adv), 0);
		assert_same_key(v->curve, adv_exchange_key(&adv), &exchange);
		assert_same_key(v->curve, adv_find(&adv, v->exchange_s256), &exchange);
		assert_same_key(v->curve, adv_find(&adv, v->exchange_s1), &exchange);
		assert_true(adv_signed_by(&adv, v->sign_s256));
		assert_true(adv_signed_by(&adv, v->sign_s1));
		assert_false(adv_signed_by(&adv, v->exchange_s256));
		jwk_done(&exchange);
	}

	assert_int_equal(parse_text("rotated", ref_str(tang_adv_rotated), &lines, &rotated), 0);
	assert_true(adv_signed_by(&rotated, tang_vectors[0].sign_s256));
	assert_true(adv_signed_by(&rotated, tang_vectors[1].sign_s256));
	assert_false(adv_signed_by(&rotated, tang_vectors[2].sign_s256));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refusal_names_the_key),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_to_jwks),
		cmocka_unit_test(test_real_servers),
	};

	return cmocka_run_group_tests(tests, make_keys, wipe_keys);
}
