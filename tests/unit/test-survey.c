/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The survey of a tang JWE: which advertisement is believed, and what is made of it. */
#include "tang/survey.h"

#include "tests/unit/network.h"

#define URL    "http://tang.test"
#define SECRET "the secret of this test"

static const struct pin *const table[] = {&pin_tang, NULL};

/* The keys of a server through its life; the token holds `sign` (two) and is bound to `exchange`. */
static struct keys {
	struct jwk sign[2], exchange;         /* held */
	struct jwk new_sign, new_exchange[2]; /* of whom the token knows nothing */
} keys;

static struct run {
	struct jwe bound;
	struct lines lines;
	struct job job;
	int r;
	bool survey;
	const struct surveyor *surveyor;
} run;

/* What the server advertises, which of its keys sign, and by which it can be asked. */
static struct {
	const struct jwk *list[6]; /* signing keys first, then from `n_sign` on exchange keys */
	size_t n_sign, n;
	const struct jwk *signers[4];
	size_t n_signers;
	const struct jwk *known[4]; /* answers GET /adv/THUMBPRINT of these */
	size_t n_known;
	bool plain; /* answers GET /adv */
	unsigned asked, asked_plain;
} adv;

static const struct jwk *all_keys[] = {&keys.sign[0],         &keys.sign[1],
				       &keys.exchange,        &keys.new_sign,
				       &keys.new_exchange[0], &keys.new_exchange[1]};

static json_t *advertise(const char *path)
{
	json_t *list = json_array(), *jwks, *jws;
	bool found = strcmp(path, "adv") == 0 && adv.plain;

	adv.asked++;
	adv.asked_plain += strcmp(path, "adv") == 0;
	for (size_t i = 0; i < adv.n_known; i++)
		found |= path_names(path, "adv/", adv.known[i]);
	for (size_t i = 0; i < adv.n; i++)
		assert_int_equal(
			json_array_append_new(
				list,
				written_key(adv.list[i], i < adv.n_sign ? "ES256" : "ECMR",
					    i < adv.n_sign ? "[\"verify\"]" : "[\"deriveKey\"]")),
			0);
	jwks = json_pack("{s:o}", "keys", list);
	jws = found ? signed_jws(jwks, adv.signers, adv.n_signers) : NULL;
	json_decref(jwks);
	return jws;
}

/* Letters for keys: a b held signing, x bound exchange, c new signing, y z new exchange. */
static size_t choose(const char *letters, const struct jwk **ret)
{
	static const char names[] = "abxcyz";
	size_t n = 0;

	for (; *letters; letters++)
		ret[n++] = all_keys[strchr(names, *letters) - names];
	return n;
}

static json_t *jwks_of(const char *sign, const char *exchange)
{
	const struct jwk *list[6];
	json_t *array = json_array();
	size_t n = choose(sign, list);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(
			json_array_append_new(array, written_key(list[i], "ES256", "[\"verify\"]")),
			0);
	n = choose(exchange, list);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(json_array_append_new(
					 array, written_key(list[i], "ECMR", "[\"deriveKey\"]")),
				 0);
	return json_pack("{s:o}", "keys", array);
}

static void kid_of(char letter, const char *alg, char ret[JWK_THUMBPRINT_MAX + 1])
{
	const struct jwk *key = NULL;

	(void)choose((char[]){letter, '\0'}, &key);
	assert_int_equal(jwk_thumbprint(key, alg, ret), 0);
}

/* Binds by the configuration that a survey gives, so that both are tested at once. */
static void bind_to(const char *sign, const char *exchange)
{
	CLEANUP(cot_done) struct cot cot = {.pins = table, .log = lines_begin(&run.lines)};
	char kid[JWK_THUMBPRINT_MAX + 1];
	CLEANUP_JSON json_t *cfg = NULL;

	kid_of(*exchange, "S256", kid);
	cfg = json_pack("{s:s, s:o, s:s}", "url", URL, "keys", jwks_of(sign, exchange), "kid", kid);
	jwe_done(&run.bound);
	expect(sign, pin_seal(&cot, "tang", cfg, ref_str(SECRET), &run.bound), 0);
}

static int end(void **state)
{
	job_done(&run.job);
	jwe_done(&run.bound);
	return network_end(state);
}

static int begin(void **state)
{
	(void)state;
	network_begin("P-256");
	memset(&run, 0, sizeof(run));
	memset(&adv, 0, sizeof(adv));
	run.survey = true;
	run.surveyor = &tang_surveyor;
	for (size_t i = 0; i < ARRAY_SIZE(all_keys); i++) {
		struct jwk *key = (struct jwk *)(uintptr_t)all_keys[i];

		jwk_done(key);
		assert_int_equal(jwk_generate(curve_by_name("P-256"), key), 0);
	}
	jwk_done(&net.exchange);
	net.exchange = keys.exchange;
	net.advertise = advertise;
	bind_to("ab", "x");
	assert_int_equal(net.started, 0);
	return 0;
}

/* Recovers with a survey; the secret comes out as ever where the server exchanges. */
static const struct survey *survey(void)
{
	struct cot cot = {
		.pins = table,
		.log = lines_begin(&run.lines),
		.deadline_us = now_us() + 10ull * USEC_PER_SEC,
		.survey = run.survey,
		.surveyor = run.surveyor,
	};
	CLEANUP(buf_done) struct buf secret = {0};

	job_done(&run.job);
	adv.asked = adv.asked_plain = 0;
	assert_int_equal(job_init(&run.job, &cot, &run.bound), 0);
	run.r = pin_recover(&cot, &run.job, &secret);
	if (run.r == 0)
		assert_ref_is(buf_ref(&secret), SECRET);
	cot_done(&cot);
	assert_int_equal(net.alive, 0);
	return run.job.survey;
}

static void expect_survey(const char *what, enum survey_state state, const char *sign,
			  char exchange, const char *words)
{
	const struct survey *s = survey();
	CLEANUP_JSON json_t *want = jwks_of(sign, (char[]){exchange, '\0'});
	char kid[JWK_THUMBPRINT_MAX + 1];

	assert_non_null(s);
	if (s->state != state || (words ? !strstr(s->why, words) : s->why[0] != '\0'))
		fail_msg("%s: state %d, \"%s\"; want %d, \"%s\"", what, s->state, s->why, state,
			 words ? words : "");
	kid_of(exchange, "S256", kid);
	if (strcmp(s->kid, kid) != 0 || !json_equal(s->keys, want))
		fail_msg("%s: other keys than \"%s\" and \"%c\"", what, sign, exchange);
}

static void serve(const char *sign, const char *exchange, const char *signers, const char *known)
{
	adv.n_sign = choose(sign, adv.list);
	adv.n = adv.n_sign + choose(exchange, adv.list + adv.n_sign);
	adv.n_signers = choose(signers, adv.signers);
	adv.n_known = choose(known, adv.known);
	adv.plain = true;
}

static void test_trusted(void **state)
{
	static const char lost[] = "does not advertise the exchange key",
			  signers[] = "has other signing keys than the token holds";
	static const struct {
		const char *what, *sign, *exchange, *signers, *known;
		enum survey_state state;
		const char *keys;
		char kid;
		const char *words;
		unsigned asked;
	} cases[] = {
		{"as it was", "ab", "x", "ab", "ab", SURVEY_CURRENT, "ab", 'x', NULL, 1},
		{"another order", "ba", "x", "ab", "ab", SURVEY_CURRENT, "ba", 'x', NULL, 1},
		{"one more exchange key", "ab", "xy", "ab", "ab", SURVEY_CURRENT, "ab", 'x', NULL,
		 1},
		{"before it", "ab", "yx", "ab", "ab", SURVEY_CURRENT, "ab", 'x', NULL, 1},
		{"another exchange key", "ab", "yz", "ab", "ab", SURVEY_CHANGED, "ab", 'y', lost,
		 1},
		{"new beside old", "abc", "xy", "abc", "abc", SURVEY_CHANGED, "abc", 'x', signers,
		 1},
		{"old ones hidden", "c", "y", "ca", "abc", SURVEY_CHANGED, "c", 'y',
		 "and has other", 1},
		{"the first one removed", "c", "y", "cb", "bc", SURVEY_CHANGED, "c", 'y', lost, 2},
		{"one removed", "a", "x", "a", "a", SURVEY_CHANGED, "a", 'x', signers, 1},
		{"one removed, new hidden", "b", "x", "b", "bc", SURVEY_CHANGED, "b", 'x', signers,
		 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		serve(cases[i].sign, cases[i].exchange, cases[i].signers, cases[i].known);
		expect_survey(cases[i].what, cases[i].state, cases[i].keys, cases[i].kid,
			      cases[i].words);
		expect(cases[i].what, run.r, 0);
		expect(cases[i].what, (int)adv.asked, (int)cases[i].asked);
		expect(cases[i].what, (int)adv.asked_plain, 0);
	}
}

/* Whatever path it is given for, it is signed by a key held or it is nobody's. */
static void test_untrusted(void **state)
{
	static const char words[] = "none of the signing keys held by the token";
	static const struct {
		const char *what, *sign, *exchange, *signers, *known;
		unsigned plain;
	} cases[] = {
		{"set up anew", "c", "y", "c", "c", 1},
		{"relays the exchange", "c", "x", "c", "c", 1},
		{"by /adv alone, though well signed", "ab", "x", "ab", "", 1},
		{"lies at each path", "c", "y", "c", "abc", 0},
		{"lies at one path", "c", "y", "c", "a", 0},
		{"the other's word at one path", "c", "y", "cb", "a", 0},
		{"the held keys, not signed by them", "ab", "y", "c", "ab", 0},
		{"one held key, signed by the exchange key", "a", "y", "x", "ab", 0},
		{"a new key that has not signed", "ac", "y", "a", "ab", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		serve(cases[i].sign, cases[i].exchange, cases[i].signers, cases[i].known);
		expect_survey(cases[i].what, SURVEY_UNTRUSTED, "ab", 'x', words);
		expect(cases[i].what, run.r, 0);
		expect(cases[i].what, (int)adv.asked_plain, (int)cases[i].plain);
	}
}

static json_t *advertise_nonsense(const char *path)
{
	adv.asked++;
	adv.asked_plain += strcmp(path, "adv") == 0;
	return json_pack("{s:s}", "payload", "e30");
}

static void test_unreachable(void **state)
{
	static const int errors[] = {-ENETUNREACH, -EHOSTUNREACH, -ECONNREFUSED,
				     -ETIMEDOUT,   -EPROTO,       -EKEYREJECTED};

	(void)state;
	serve("ab", "x", "ab", "ab");
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		net.adv_error = errors[i];
		expect_survey("step", SURVEY_UNREACHABLE, "ab", 'x', "no answer");
		assert_int_equal(run.r, 0);
	}
	net.adv_error = 0;
	net.adv_status = 500;
	expect_survey("500", SURVEY_UNREACHABLE, "ab", 'x', "HTTP 500 instead of");
	assert_int_equal(adv.asked_plain, 0);
	net.adv_status = 404;
	expect_survey("404", SURVEY_UNREACHABLE, "ab", 'x', "HTTP 404 instead of");
	assert_int_equal(adv.asked_plain, 1);
	net.adv_status = 0;
	net.advertise = advertise_nonsense;
	expect_survey("nonsense", SURVEY_UNREACHABLE, "ab", 'x', "no list of keys");
	assert_int_equal(adv.asked_plain, 0);
	net.start_error = -EOPNOTSUPP;
	expect_survey("start", SURVEY_UNREACHABLE, "ab", 'x', "cannot be used");
	assert_int_equal(run.r, -EOPNOTSUPP);
}

/* A recovery that fails has its survey all the same, and keeps its own words. */
static void test_recovery_fails(void **state)
{
	(void)state;
	serve("c", "y", "ca", "abc");
	jwk_done(&net.exchange);
	net.exchange = keys.new_exchange[0];
	expect_survey("another exchange key", SURVEY_CHANGED, "c", 'y', "does not advertise");
	assert_int_equal(run.r, -EPROTO);
	assert_non_null(strstr(run.job.why, "does not have the key"));
	assert_string_equal(run.job.where, URL);
}

static void test_not_asked_for(void **state)
{
	(void)state;
	serve("ab", "x", "ab", "ab");
	for (unsigned i = 0; i < 3; i++) {
		run.survey = i == 1;
		run.surveyor = i == 2 ? &tang_surveyor : NULL;
		assert_null(survey());
		assert_int_equal(run.r, 0);
		assert_int_equal(adv.asked, 0);
	}
}

/* Both requests go by the token's own idea of whom it talks to. */
static void test_https(void **state)
{
	static const char pubkey[] = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
	CLEANUP(cot_done) struct cot cot = {.pins = table, .log = lines_begin(&run.lines)};
	CLEANUP_JSON json_t *cfg = NULL;
	char kid[JWK_THUMBPRINT_MAX + 1];

	(void)state;
	kid_of('x', "S256", kid);
	cfg = json_pack("{s:s, s:s, s:s, s:o, s:s}", "url", "https://tang.test", "ca",
			"/etc/ca.pem", "pubkey", pubkey, "keys", jwks_of("ab", "x"), "kid", kid);
	jwe_done(&run.bound);
	assert_int_equal(pin_seal(&cot, "tang", cfg, ref_str(SECRET), &run.bound), 0);
	serve("ab", "x", "ab", "ab");
	expect_survey("https", SURVEY_CURRENT, "ab", 'x', NULL);
	assert_int_equal(net.started, 2);
	assert_memory_equal(net.path, "adv/", 4);
	assert_string_equal(net.base, "https://tang.test");
	assert_string_equal(net.ca, "/etc/ca.pem");
	assert_string_equal(net.pubkey, pubkey);
}

/* What a survey says is the configuration of the next binding. */
static void test_bind_again(void **state)
{
	const struct survey *s;
	CLEANUP_JSON json_t *cfg = NULL;
	CLEANUP(cot_done) struct cot cot = {.pins = table, .log = lines_begin(&run.lines)};

	(void)state;
	serve("c", "y", "ca", "abc");
	s = survey();
	cfg = json_pack("{s:s, s:O, s:s}", "url", URL, "keys", s->keys, "kid", s->kid);
	jwe_done(&run.bound);
	assert_int_equal(pin_seal(&cot, "tang", cfg, ref_str(SECRET), &run.bound), 0);
	assert_true(json_equal(
		json_object_get(json_object_get(json_object_get(run.bound.hdr, "clevis"), "tang"),
				"adv"),
		json_object_get(cfg, "keys")));
	net.exchange = keys.new_exchange[0];
	expect_survey("again", SURVEY_CURRENT, "c", 'y', NULL);
	assert_int_equal(run.r, 0);
}

/* The members "keys" and "kid" of a configuration. */
static void test_config(void **state)
{
	static const struct {
		const char *what, *sign, *exchange; /* NULL: there are no keys */
		char kid;                           /* '\0': there is none */
		const char *alg, *also;
		int want;
		const char *words;
	} cases[] = {
		{"the second exchange key", "a", "yx", 'x', "S256", NULL, 0, NULL},
		{"no signing key", "", "x", 'x', "S256", NULL, 0, NULL},
		{"an old thumbprint", "a", "x", 'x', "S1", NULL, 0, NULL},
		{"no kid", "a", "x", '\0', "S256", NULL, -EINVAL, "go together"},
		{"no keys", NULL, NULL, 'x', "S256", NULL, -EINVAL, "go together"},
		{"adv too", "a", "x", 'x', "S256", "adv", -EINVAL, "without"},
		{"thp too", "a", "x", 'x', "S256", "thp", -EINVAL, "without"},
		{"kid of another", "a", "y", 'x', "S256", NULL, -EINVAL, "no exchange key"},
		{"kid of a signing key", "a", "x", 'a', "S256", NULL, -EINVAL, "no exchange key"},
	};
	char kid[JWK_THUMBPRINT_MAX + 1], want[JWK_THUMBPRINT_MAX + 1];

	(void)state;
	kid_of('x', "S256", want);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(cot_done)
		struct cot cot = {.pins = table, .log = lines_begin(&run.lines)};
		CLEANUP_JSON json_t *cfg = json_pack("{s:s}", "url", URL);
		CLEANUP(jwe_done) struct jwe jwe = {0};

		kid_of(cases[i].kid ? cases[i].kid : 'x', cases[i].alg, kid);
		if (cases[i].sign)
			(void)json_object_set_new(cfg, "keys",
						  jwks_of(cases[i].sign, cases[i].exchange));
		if (cases[i].kid)
			(void)json_object_set_new(cfg, "kid", json_string(kid));
		if (cases[i].also)
			(void)json_object_set_new(cfg, cases[i].also, json_string(kid));
		expect(cases[i].what, pin_seal(&cot, "tang", cfg, ref_str(SECRET), &jwe),
		       cases[i].want);
		assert_told(cases[i].what, &run.lines, cases[i].words);
		if (cases[i].want == 0) {
			const json_t *clevis = json_object_get(jwe.hdr, "clevis");
			CLEANUP_JSON json_t *kept = jwks_of(cases[i].sign, "x");

			assert_string_equal(js_str(jwe.hdr, "kid"), want);
			assert_true(json_equal(
				json_object_get(json_object_get(clevis, "tang"), "adv"), kept));
		}
	}
	assert_int_equal(net.started, 0);
}

/* Clevis keeps all of an advertisement; the key that is bound to need not be its first. */
static void test_whole_advertisement(void **state)
{
	CLEANUP_JSON json_t *hdr = NULL;
	CLEANUP(buf_done) struct buf cek = {0};
	char kid[JWK_THUMBPRINT_MAX + 1];

	(void)state;
	hdr = json_deep_copy(run.bound.hdr);
	assert_int_equal(
		json_object_set_new(json_object_get(json_object_get(hdr, "clevis"), "tang"), "adv",
				    jwks_of("ab", "zyx")),
		0);
	kid_of('x', "S1", kid);
	assert_int_equal(json_object_set_new(hdr, "kid", json_string(kid)), 0);
	assert_int_equal(jwe_agree(hdr, &keys.exchange, &cek), 0);
	jwe_done(&run.bound);
	assert_int_equal(jwe_seal(hdr, buf_ref(&cek), ref_str(SECRET), &run.bound), 0);

	serve("ab", "zyx", "ab", "ab");
	expect_survey("kept", SURVEY_CURRENT, "ab", 'x', NULL);
	serve("ab", "zy", "ab", "ab");
	expect_survey("lost", SURVEY_CHANGED, "ab", 'z', "does not advertise");
	net.adv_error = -ETIMEDOUT;
	expect_survey("away", SURVEY_UNREACHABLE, "ab", 'x', "no answer");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trusted, begin, end),
		cmocka_unit_test_setup_teardown(test_untrusted, begin, end),
		cmocka_unit_test_setup_teardown(test_unreachable, begin, end),
		cmocka_unit_test_setup_teardown(test_recovery_fails, begin, end),
		cmocka_unit_test_setup_teardown(test_not_asked_for, begin, end),
		cmocka_unit_test_setup_teardown(test_https, begin, end),
		cmocka_unit_test_setup_teardown(test_bind_again, begin, end),
		cmocka_unit_test_setup_teardown(test_config, begin, end),
		cmocka_unit_test_setup_teardown(test_whole_advertisement, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
