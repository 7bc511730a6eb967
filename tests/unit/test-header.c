/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The protected header of a tang JWE: what recovery accepts, member by member. */
#include "tang/header.h"

#include "crypto/jwe.h"
#include "tang/adv.h"
#include "tang/fetch.h"
#include "tests/unit/lines.h"
#include "tests/unit/vectors/tang.h"

/* Thumbprints by `jose jwk thp`. The exchange key is C_BOB, the signing key P384, epk A3. */
#define EXCHANGE_S256 "Vy57XrArUrW0NbpI12tEzDHABxMwrTh6HHXRenSpnCo"
#define EXCHANGE_S1   "0707iVjjsLdhAq6vicwLWIZ5SFo"
#define SIGN_S256     "l2tfkSzhekdOr24I18E1O_-49AlK14MTo7OxJMS7-HI"

#define EXCHANGE_KEY                                                   \
	"{" EC_MEMBERS("P-256", C_BOB_X, C_BOB_Y) ",\"alg\":\"ECMR\"," \
						  "\"key_ops\":[\"deriveKey\"]}"
#define SIGN_KEY                                                      \
	"{" EC_MEMBERS("P-384", P384_X, P384_Y) ",\"alg\":\"ES384\"," \
						"\"key_ops\":[\"verify\"]}"
#define EPK EC_PUBLIC("P-256", A3_X, A3_Y)

#define GOOD                                                                                  \
	"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"kid\":\"" EXCHANGE_S256 "\",\"epk\":" EPK \
	",\"clevis\":{\"pin\":\"tang\",\"tang\":{\"url\":\"http://tang.test\","               \
	"\"adv\":{\"keys\":[" SIGN_KEY "," EXCHANGE_KEY "]}}}}"

#define HTTPS  "https://tang.test"
#define PUBKEY "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

/* On failure the output is as it was, and a line says why. */
static int read_header(const char *what, const json_t *hdr, struct lines *lines,
		       struct binding *ret)
{
	struct binding binding;
	int r;

	memset(&binding, UNTOUCHED, sizeof(binding));
	r = binding_read(hdr, lines_begin(lines), &binding);
	if (r < 0) {
		assert_untouched(what, &binding, sizeof(binding));
		assert_told(what, lines, "");
	} else {
		assert_told(what, lines, NULL);
		*ret = binding;
	}
	return r;
}

static void test_good(void **state)
{
	CLEANUP_JSON json_t *hdr = json_of(GOOD);
	CLEANUP(binding_done) struct binding b = {0};
	struct jwk exchange = key_of(EXCHANGE_KEY), epk = key_of(EPK);
	struct lines lines;

	(void)state;
	assert_int_equal(read_header("good", hdr, &lines, &b), 0);
	assert_string_equal(b.server.url, "http://tang.test");
	assert_null(b.server.ca);
	assert_null(b.server.pubkey);
	assert_string_equal(b.kid, EXCHANGE_S256);
	assert_ptr_equal(b.epk.curve, epk.curve);
	assert_memory_equal(b.epk.x, epk.x, sizeof(epk.x));
	assert_memory_equal(b.epk.y, epk.y, sizeof(epk.y));
	assert_ptr_equal(b.exchange_key.curve, exchange.curve);
	assert_memory_equal(b.exchange_key.x, exchange.x, sizeof(exchange.x));
	assert_memory_equal(b.exchange_key.y, exchange.y, sizeof(exchange.y));
	assert_int_equal(json_array_size(b.signing_thumbprints), 1);
	assert_string_equal(json_string_value(json_array_get(b.signing_thumbprints, 0)), SIGN_S256);
}

/* Clevis's own, on each curve. */
static void test_clevis(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tang_vectors); i++) {
		const struct tang_vector *v = &tang_vectors[i];
		CLEANUP(binding_done) struct binding b = {0};
		CLEANUP(jwe_done) struct jwe jwe = {0};
		struct lines lines;

		assert_int_equal(jwe_from_compact(ref_str(v->jwe), &jwe), 0);
		expect(v->curve, read_header(v->curve, jwe.hdr, &lines, &b), 0);
		assert_string_equal(b.server.url, CLEVIS_URL);
		assert_string_equal(b.kid, v->exchange_s256);
		assert_string_equal(b.exchange_key.curve->name, v->curve);
		assert_string_equal(json_string_value(json_array_get(b.signing_thumbprints, 0)),
				    v->sign_s256);
	}
}

/* One change to a good header. `words`: what the line about it has, beside the failure. */
struct one_change {
	const char *path, *value;
	int want;
	const char *words;
};

static void run_changes(const struct one_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP_JSON json_t *hdr = json_of(GOOD);
		CLEANUP(binding_done) struct binding b = {0};
		struct lines lines;
		char what[256];

		(void)snprintf(what, sizeof(what), "%s: %.180s", changes[i].path,
			       changes[i].value ? changes[i].value : "missing");
		change(hdr, changes[i].path, changes[i].value);
		expect(what, read_header(what, hdr, &lines, &b), changes[i].want);
		if (changes[i].words)
			assert_told(what, &lines, changes[i].words);
	}
}

static void test_members(void **state)
{
	static const struct one_change changes[] = {
		{"alg", NULL, -EBADMSG, "alg"},
		{"alg", "1", -EBADMSG, "alg"},
		{"alg", "\"dir\"", -EBADMSG, "alg"},
		{"alg", "\"ECDH-ES+A256KW\"", -EBADMSG, "alg"},
		{"clevis", NULL, -EBADMSG, NULL},
		{"clevis", "\"tang\"", -EBADMSG, NULL},
		{"clevis", "[]", -EBADMSG, NULL},
		{"clevis.tang", NULL, -EBADMSG, NULL},
		{"clevis.tang", "null", -EBADMSG, NULL},
		{"clevis.tang", "\"http://tang.test\"", -EBADMSG, NULL},
		{"clevis.tang", "{}", -EBADMSG, NULL},
		{"clevis.tang.more", "{\"unknown\":[1]}", 0, NULL},
		{"more", "true", 0, NULL},
	};

	(void)state;
	run_changes(changes, ARRAY_SIZE(changes));
}

static void test_url(void **state)
{
	static const struct one_change changes[] = {
		{"clevis.tang.url", "\"tang.test\"", 0, NULL},
		{"clevis.tang.url", "\"tang\"", 0, NULL},
		{"clevis.tang.url", "\"http://tang.test/\"", 0, NULL},
		{"clevis.tang.url", "\"http://tang.test:7500\"", 0, NULL},
		{"clevis.tang.url", "\"http://tang.test:7500/some/prefix\"", 0, NULL},
		{"clevis.tang.url", "\"http://tang.test/some/prefix/\"", 0, NULL},
		{"clevis.tang.url", "\"http://192.0.2.1\"", 0, NULL},
		{"clevis.tang.url", "\"192.0.2.1:80\"", 0, NULL},
		{"clevis.tang.url", "\"http://[2001:db8::1]\"", 0, NULL},
		{"clevis.tang.url", "\"http://[2001:db8::1]:7500/p\"", 0, NULL},
		{"clevis.tang.url", "\"https://tang.test\"", 0, NULL},
		{"clevis.tang.url", "\"HTTPS://TANG.TEST\"", 0, NULL},
		{"clevis.tang.url", NULL, -EBADMSG, "url"},
		{"clevis.tang.url", "1", -EBADMSG, "url"},
		{"clevis.tang.url", "null", -EBADMSG, "url"},
		{"clevis.tang.url", "[\"http://tang.test\"]", -EBADMSG, "url"},
		{"clevis.tang.url", "\"\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http://\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http:///adv\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"ftp://tang.test\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"file:///etc/shadow\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"gopher://tang.test\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http://tang.test?x=1\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http://tang.test/#x\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http://tang test\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\" http://tang.test\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http://tang.test\\n\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http://tang.test\\r\\nX: y\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http://tang.test:0\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http://tang.test:65536\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http://tang.test:http\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http://2001:db8::1\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http://[2001:db8::1\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http://[::g]\"", -EBADMSG, "URL"},
		{"clevis.tang.url", "\"http://{a,b}.test\"", -EBADMSG, "URL"},
	};

	(void)state;
	run_changes(changes, ARRAY_SIZE(changes));
}

/* A URL of just this length, as JSON. */
static void run_long_url(size_t length, int want)
{
	char filler[FETCH_URL_MAX + 1] = "", url[FETCH_URL_MAX + 32];

	memset(filler, 'x', length - strlen("http://tang.test/"));
	(void)snprintf(url, sizeof(url), "\"http://tang.test/%s\"", filler);
	run_changes(&(struct one_change){"clevis.tang.url", url, want, NULL}, 1);
}

static void test_long_url(void **state)
{
	(void)state;
	run_long_url(FETCH_URL_MAX, 0);
	run_long_url(FETCH_URL_MAX + 1, -EBADMSG);
}

static void test_https(void **state)
{
	static const struct {
		const char *url, *ca, *pubkey;
		int want;
	} cases[] = {
		{HTTPS, "\"/etc/ca.pem\"", NULL, 0},
		{HTTPS, NULL, "\"" PUBKEY "\"", 0},
		{HTTPS, "\"/etc/ca.pem\"", "\"" PUBKEY "\"", 0},
		{"HTTPS://tang.test", "\"/etc/ca.pem\"", NULL, 0},
		{"http://tang.test", "\"/etc/ca.pem\"", NULL, -EBADMSG},
		{"http://tang.test", NULL, "\"" PUBKEY "\"", -EBADMSG},
		{"tang.test", "\"/etc/ca.pem\"", NULL, -EBADMSG},
		{HTTPS, "\"ca.pem\"", NULL, -EBADMSG},
		{HTTPS, "\"../ca.pem\"", NULL, -EBADMSG},
		{HTTPS, "\"\"", NULL, -EBADMSG},
		{HTTPS, "1", NULL, -EBADMSG},
		{HTTPS, "null", NULL, -EBADMSG},
		{HTTPS, "{}", NULL, -EBADMSG},
		{HTTPS, NULL, "\"\"", -EBADMSG},
		{HTTPS, NULL, "1", -EBADMSG},
		{HTTPS, NULL, "\"sha256//\"", -EBADMSG},
		{HTTPS, NULL, "\"sha1//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"", -EBADMSG},
		{HTTPS, NULL, "\"sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\"", -EBADMSG},
		{HTTPS, NULL, "\"sha256//47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=\"", -EBADMSG},
		{HTTPS, NULL, "\"sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF=U\"", -EBADMSG},
		{HTTPS, NULL, "\"sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU!\"", -EBADMSG},
		{HTTPS, NULL, "\"sha256//!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!=\"", -EBADMSG},
		{HTTPS, NULL, "\"" PUBKEY ";" PUBKEY "\"", -EBADMSG},
		{HTTPS, NULL, "\"/etc/pubkey.pem\"", -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *tang = json_pack("{s:s}", "url", cases[i].url);
		const char *what = cases[i].ca ? cases[i].ca : cases[i].pubkey;
		struct server server;
		struct lines lines;

		memset(&server, UNTOUCHED, sizeof(server));
		if (cases[i].ca)
			change(tang, "ca", cases[i].ca);
		if (cases[i].pubkey)
			change(tang, "pubkey", cases[i].pubkey);
		expect(what, server_read(tang, lines_begin(&lines), &server), cases[i].want);
		assert_told(what, &lines, cases[i].want < 0 ? "" : NULL);
		if (cases[i].want < 0) {
			assert_untouched(what, &server, sizeof(server));
			continue;
		}
		assert_string_equal(server.url, cases[i].url);
		assert_ptr_equal(server.ca, js_str(tang, "ca"));
		assert_ptr_equal(server.pubkey, js_str(tang, "pubkey"));
	}
}

static void test_kid(void **state)
{
	static const struct one_change changes[] = {
		{"kid", "\"" EXCHANGE_S1 "\"", 0, NULL},
		{"kid", NULL, -EBADMSG, "kid"},
		{"kid", "1", -EBADMSG, "kid"},
		{"kid", "\"\"", -EBADMSG, "kid"},
		{"kid", "\"../adv\"", -EBADMSG, "kid"},
		{"kid", "\"x/../../y\"", -EBADMSG, "kid"},
		{"kid", "\"" EXCHANGE_S256 "/\"", -EBADMSG, "kid"},
		{"kid", "\"" EXCHANGE_S256 "?\"", -EBADMSG, "kid"},
		{"kid", "\"" EXCHANGE_S256 " \"", -EBADMSG, "kid"},
		{"kid", "\"" EXCHANGE_S256 "=\"", -EBADMSG, "kid"},
		{"kid", "\"/fCnie_M7M8lL2mnQxQJ9vJJPz6tFnLxfyLpBdpeuVw\"", -EBADMSG, "kid"},
		{"kid", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", -EBADMSG, "kid"},
		{"kid", "\"" SIGN_S256 "\"", -EBADMSG, "kid"},
	};

	(void)state;
	run_changes(changes, ARRAY_SIZE(changes));
}

static void test_epk(void **state)
{
	static const struct one_change changes[] = {
		{"epk", NULL, -EBADMSG, "epk"},
		{"epk", "\"\"", -EBADMSG, "epk"},
		{"epk", "[]", -EBADMSG, "epk"},
		{"epk", "{}", -EBADMSG, "epk"},
		{"epk.crv", NULL, -EBADMSG, "epk"},
		{"epk.x", NULL, -EBADMSG, "epk"},
		{"epk.y", NULL, -EBADMSG, "epk"},
		{"epk.y", "1", -EBADMSG, "epk"},
		{"epk.y", "\"" A3_X "\"", -EBADMSG, "epk"}, /* not on the curve */
		{"epk.kty", "\"OKP\"", -EOPNOTSUPP, "epk"},
		{"epk.kty", "\"oct\"", -EOPNOTSUPP, "epk"},
		{"epk.crv", "\"P-192\"", -EOPNOTSUPP, "epk"},
		{"epk", EC_PUBLIC("P-384", P384_X, P384_Y), -EBADMSG, "epk"}, /* another curve */
		{"epk", EC_PUBLIC("P-521", A4_X, A4_Y), -EBADMSG, "epk"},
	};

	(void)state;
	run_changes(changes, ARRAY_SIZE(changes));
}

static void test_keys(void **state)
{
	static const struct one_change changes[] = {
		{"clevis.tang.adv", NULL, -EBADMSG, NULL},
		{"clevis.tang.adv", "\"/etc/adv.jws\"", -EBADMSG, NULL},
		{"clevis.tang.adv", "[]", -EBADMSG, NULL},
		{"clevis.tang.adv", "{}", -EBADMSG, NULL},
		{"clevis.tang.adv.keys", "{}", -EBADMSG, NULL},
		{"clevis.tang.adv.keys", "[]", -EBADMSG, "kid"},
		{"clevis.tang.adv.keys", "[" SIGN_KEY "]", -EBADMSG, "kid"},
		{"clevis.tang.adv.keys", "[" EXCHANGE_KEY "]", 0, NULL},
		{"clevis.tang.adv.keys", "[{\"kty\":\"RSA\"}," EXCHANGE_KEY "]", 0, NULL},
		{"clevis.tang.adv.keys", "[\"\"," EXCHANGE_KEY "]", -EBADMSG, NULL},
		{"clevis.tang.adv.keys", "[{\"kty\":\"RSA\",\"use\":\"sig\"}," EXCHANGE_KEY "]",
		 -EOPNOTSUPP, NULL},
		{"clevis.tang.adv.keys", "[" EC_PUBLIC("P-256", C_BOB_X, C_BOB_X) "]", -EBADMSG,
		 NULL},
	};

	(void)state;
	run_changes(changes, ARRAY_SIZE(changes));
}

static void test_many_keys(void **state)
{
	CLEANUP_JSON json_t *hdr = json_of(GOOD);
	CLEANUP(binding_done) struct binding b = {0};
	json_t *keys = json_object_get(
		json_object_get(json_object_get(json_object_get(hdr, "clevis"), "tang"), "adv"),
		"keys");
	struct lines lines;

	(void)state;
	while (json_array_size(keys) <= ADV_KEYS_MAX)
		assert_int_equal(json_array_append_new(keys, json_of(SIGN_KEY)), 0);
	expect("33 keys", read_header("33 keys", hdr, &lines, &b), -E2BIG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),     cmocka_unit_test(test_clevis),
		cmocka_unit_test(test_members),  cmocka_unit_test(test_url),
		cmocka_unit_test(test_long_url), cmocka_unit_test(test_https),
		cmocka_unit_test(test_kid),      cmocka_unit_test(test_epk),
		cmocka_unit_test(test_keys),     cmocka_unit_test(test_many_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
