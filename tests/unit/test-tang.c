/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Binding to a Tang server: what is asked for, whom it trusts, and what the header then says. */
#include "tests/unit/network.h"

#define URL    "http://tang.test"
#define SECRET "the secret of this test"

static const struct pin *const table[] = {&pin_tang, NULL};
static const char *const curve_names[] = {"P-256", "P-384", "P-521"};

/* A person, and what it was asked. */
static struct person {
	int says;
	const struct log *log; /* for the word that goes with a no */
	unsigned asked;
	char url[256];
	char *thumbprints;
} person;

enum { PERSON_TAKES_US = 2 * USEC_PER_MSEC };

static int ask_person(void *arg, const struct trust_question *question)
{
	uint64_t began_us = now_us();

	assert_ptr_equal(arg, &person);
	while (now_us() < began_us + PERSON_TAKES_US)
		;
	person.asked++;
	keep_text(person.url, sizeof(person.url), question->url);
	free(person.thumbprints);
	assert_int_equal(js_dump(question->thumbprints, &person.thumbprints), 0);
	return person.says < 0 ? log_err(person.log, person.says, "not trusted") : 0;
}

static int forget_person(void **state)
{
	free(person.thumbprints);
	person = (struct person){0};
	return network_end(state);
}

/* Seals by `cfg`, which it takes over. `present`: somebody is there to be asked. */
static int seal(const char *what, json_t *cfg, bool present, struct lines *lines, struct jwe *ret)
{
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = table,
		.log = lines_begin(lines),
		.deadline_us = now_us() + 60ull * USEC_PER_SEC,
		.confirm = present ? ask_person : NULL,
		.confirm_arg = &person,
	};
	uint64_t deadline_us = cot.deadline_us;
	unsigned asked = person.asked;
	struct jwe jwe;
	int r;

	person.log = &lines->log;
	memset(&jwe, UNTOUCHED, sizeof(jwe));
	r = pin_seal(&cot, "tang", cfg, ref_str(SECRET), &jwe);
	/* A person's time is not the server's. */
	asked = person.asked - asked;
	assert_true(cot.deadline_us >= deadline_us + asked * PERSON_TAKES_US);
	assert_true(asked > 0 || cot.deadline_us == deadline_us);
	json_decref(cfg);
	if (r == 0) {
		assert_told(what, lines, NULL);
		*ret = jwe;
	} else {
		assert_untouched(what, &jwe, sizeof(jwe));
		assert_told(what, lines, "");
	}
	assert_int_equal(net.alive, 0);
	return r;
}

static void assert_opens(const struct jwe *jwe)
{
	struct lines lines;
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = table,
		.log = lines_begin(&lines),
		.deadline_us = now_us() + 60ull * USEC_PER_SEC,
	};
	CLEANUP(job_done) struct job job = {0};
	CLEANUP(buf_done) struct buf secret = {0};

	assert_int_equal(job_init(&job, &cot, jwe), 0);
	assert_int_equal(pin_recover(&cot, &job, &secret), 0);
	assert_ref_is(buf_ref(&secret), SECRET);
}

static void thumbprint_of(const struct jwk *key, const char *alg, char ret[JWK_THUMBPRINT_MAX + 1])
{
	assert_int_equal(jwk_thumbprint(key, alg, ret), 0);
}

static json_t *saved_adv(void)
{
	return usual_adv(&net.sign, &net.exchange);
}

static void assert_header(const struct jwe *jwe, const char *ca, const char *pubkey)
{
	const json_t *clevis = json_object_get(jwe->hdr, "clevis");
	const json_t *tang = json_object_get(clevis, "tang");
	CLEANUP_JSON json_t *keys =
		json_pack("{s:[o, o]}", "keys",
			  written_key(&net.sign, net.sign.curve->jws_alg, "[\"verify\"]"),
			  written_key(&net.exchange, "ECMR", "[\"deriveKey\"]"));
	char kid[JWK_THUMBPRINT_MAX + 1];

	thumbprint_of(&net.exchange, "S256", kid);
	assert_string_equal(js_str(jwe->hdr, "alg"), "ECDH-ES");
	assert_string_equal(js_str(jwe->hdr, "enc"), "A256GCM");
	assert_string_equal(js_str(jwe->hdr, "kid"), kid);
	assert_string_equal(js_str(clevis, "pin"), "tang");
	assert_string_equal(js_str(tang, "url"), ca || pubkey ? "https://tang.test" : URL);
	assert_true(json_equal(json_object_get(tang, "adv"), keys));
	assert_int_equal(json_object_size(tang), 2 + (ca != NULL) + (pubkey != NULL));
	if (ca)
		assert_string_equal(js_str(tang, "ca"), ca);
	if (pubkey)
		assert_string_equal(js_str(tang, "pubkey"), pubkey);
}

static void test_saved_object(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(curve_names); i++) {
		CLEANUP(jwe_done) struct jwe jwe = {0};
		struct lines lines;

		network_begin(curve_names[i]);
		assert_int_equal(seal(curve_names[i],
				      json_pack("{s:s, s:o}", "url", URL, "adv", saved_adv()),
				      false, &lines, &jwe),
				 0);
		assert_int_equal(net.started, 0); /* offline */
		assert_header(&jwe, NULL, NULL);
		assert_opens(&jwe);
	}
}

static void test_https(void **state)
{
	static const char ca[] = "/etc/ca.pem";
	static const char pubkey[] = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
	char thp[JWK_THUMBPRINT_MAX + 1];
	struct lines lines;

	(void)state;
	for (int with = 1; with <= 3; with++) {
		CLEANUP(jwe_done) struct jwe jwe = {0};
		const char *the_ca = with & 1 ? ca : NULL, *key = with & 2 ? pubkey : NULL;

		network_begin("P-256");
		thumbprint_of(&net.sign, "S256", thp);
		expect("https",
		       seal("https",
			    json_pack("{s:s, s:s, s:s*, s:s*}", "url", "https://tang.test", "thp",
				      thp, "ca", the_ca, "pubkey", key),
			    false, &lines, &jwe),
		       0);
		assert_string_equal(net.ca, the_ca ? the_ca : "");
		assert_string_equal(net.pubkey, key ? key : "");
		assert_header(&jwe, the_ca, key);

		keep_text(net.ca, sizeof(net.ca), NULL);
		keep_text(net.pubkey, sizeof(net.pubkey), NULL);
		assert_opens(&jwe);
		assert_string_equal(net.ca, the_ca ? the_ca : "");
		assert_string_equal(net.pubkey, key ? key : "");
	}
}

/* Gives its advertisement whatever thumbprint it is asked for. */
static json_t *adv_for_any_path(const char *path)
{
	(void)path;
	return saved_adv();
}

static json_t *partly_signed_adv(const char *path)
{
	const struct jwk *signers[] = {&net.sign};
	struct jwk silent = {0};
	json_t *jwks, *jws;

	(void)path;
	assert_int_equal(jwk_generate(curve_by_name("P-256"), &silent), 0);
	jwks = json_pack("{s:[o, o, o]}", "keys", written_key(&net.sign, "ES256", "[\"verify\"]"),
			 written_key(&silent, "ES256", "[\"verify\"]"),
			 written_key(&net.exchange, "ECMR", "[\"deriveKey\"]"));
	jws = signed_jws(jwks, signers, 1);
	json_decref(jwks);
	jwk_done(&silent);
	return jws;
}

enum thp { NONE, RIGHT, RIGHT_S1, OF_EXCHANGE_KEY, WRONG };
enum source { FETCHED, SAVED, LYING, PARTLY_SIGNED };
enum presence { NOBODY, SAYS_YES, SAYS_NO };

static json_t *trust_config(enum thp which, enum source source)
{
	json_t *cfg = json_pack("{s:s}", "url", URL);
	char thp[JWK_THUMBPRINT_MAX + 1];
	struct jwk stranger = {0};

	assert_int_equal(jwk_generate(curve_by_name("P-256"), &stranger), 0);
	thumbprint_of(which == OF_EXCHANGE_KEY ? &net.exchange
		      : which == WRONG         ? &stranger
					       : &net.sign,
		      which == RIGHT_S1 ? "S1" : "S256", thp);
	jwk_done(&stranger);
	if (which != NONE)
		assert_int_equal(json_object_set_new(cfg, "thp", json_string(thp)), 0);
	if (source == SAVED)
		assert_int_equal(json_object_set_new(cfg, "adv", saved_adv()), 0);
	return cfg;
}

static void test_trust(void **state)
{
	static const struct {
		const char *what;
		enum thp thp;
		enum source source;
		enum presence present;
		int want;
		unsigned asked;
	} cases[] = {
		{"thumbprint", RIGHT, FETCHED, NOBODY, 0, 0},
		{"thumbprint, not asked", RIGHT, FETCHED, SAYS_NO, 0, 0},
		{"old thumbprint", RIGHT_S1, FETCHED, NOBODY, 0, 0},
		{"wrong thumbprint", WRONG, FETCHED, NOBODY, -EKEYREJECTED, 0},
		{"wrong thumbprint, not overruled", WRONG, FETCHED, SAYS_YES, -EKEYREJECTED, 0},
		{"wrong thumbprint, lie", WRONG, LYING, SAYS_YES, -EKEYREJECTED, 0},
		{"exchange key's thumbprint", OF_EXCHANGE_KEY, LYING, SAYS_YES, -EKEYREJECTED, 0},
		{"nobody to ask", NONE, FETCHED, NOBODY, -EKEYREJECTED, 0},
		{"yes", NONE, FETCHED, SAYS_YES, 0, 1},
		{"no", NONE, FETCHED, SAYS_NO, -EKEYREJECTED, 1},
		{"saved", NONE, SAVED, NOBODY, 0, 0},
		{"saved, not asked", NONE, SAVED, SAYS_NO, 0, 0},
		{"saved, thumbprint", RIGHT, SAVED, NOBODY, 0, 0},
		{"saved, old thumbprint", RIGHT_S1, SAVED, NOBODY, 0, 0},
		{"saved, wrong thumbprint", WRONG, SAVED, SAYS_YES, -EKEYREJECTED, 0},
		{"saved, exchange key's", OF_EXCHANGE_KEY, SAVED, SAYS_YES, -EKEYREJECTED, 0},
		{"partly signed", NONE, PARTLY_SIGNED, SAYS_YES, -EKEYREJECTED, 0},
		{"partly signed, thumbprint", RIGHT, PARTLY_SIGNED, NOBODY, -EKEYREJECTED, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(jwe_done) struct jwe jwe = {0};
		const char *what = cases[i].what;
		struct lines lines;

		network_begin("P-256");
		net.advertise = cases[i].source == LYING           ? adv_for_any_path
				: cases[i].source == PARTLY_SIGNED ? partly_signed_adv
								   : NULL;
		person.asked = 0;
		person.says = cases[i].present == SAYS_YES ? 0 : -EKEYREJECTED;
		expect(what,
		       seal(what, trust_config(cases[i].thp, cases[i].source),
			    cases[i].present != NOBODY, &lines, &jwe),
		       cases[i].want);
		expect(what, (int)person.asked, (int)cases[i].asked);
		expect(what, (int)net.started, cases[i].source == SAVED ? 0 : 1);
		if (cases[i].want == 0)
			assert_opens(&jwe);
	}
}

static void test_question(void **state)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	char thp[JWK_THUMBPRINT_MAX + 1], want[JWK_THUMBPRINT_MAX + 5];
	struct lines lines;

	(void)state;
	network_begin("P-384");
	person.says = 0;
	assert_int_equal(seal("question", json_pack("{s:s}", "url", URL), true, &lines, &jwe), 0);
	thumbprint_of(&net.sign, "S256", thp);
	(void)snprintf(want, sizeof(want), "[\"%s\"]", thp);
	assert_string_equal(person.url, URL);
	assert_string_equal(person.thumbprints, want);
}

/* An old signing key's advertisement is asked for by that key's name. */
static void test_paths(void **state)
{
	CLEANUP(jwe_done) struct jwe by_thp = {0};
	CLEANUP(jwe_done) struct jwe asked = {0};
	char thp[JWK_THUMBPRINT_MAX + 1], want[JWK_THUMBPRINT_MAX + 5];
	struct lines lines;

	(void)state;
	network_begin("P-256");
	thumbprint_of(&net.sign, "S256", thp);
	(void)snprintf(want, sizeof(want), "adv/%s", thp);
	assert_int_equal(seal("thp", json_pack("{s:s, s:s}", "url", URL, "thp", thp), false, &lines,
			      &by_thp),
			 0);
	assert_string_equal(net.base, URL);
	assert_string_equal(net.path, want);
	assert_string_equal(net.body, "");

	person.says = 0;
	assert_int_equal(seal("no thp", json_pack("{s:s}", "url", URL), true, &lines, &asked), 0);
	assert_string_equal(net.path, "adv");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_saved_object, forget_person),
		cmocka_unit_test_teardown(test_https, forget_person),
		cmocka_unit_test_teardown(test_trust, forget_person),
		cmocka_unit_test_teardown(test_question, forget_person),
		cmocka_unit_test_teardown(test_paths, forget_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
