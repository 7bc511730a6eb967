/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that runs out at each allocation in turn, in our code, OpenSSL or jansson, and a random generator that
 * does not work: functions return what their headers say, and nothing else, and leave their results alone.
 */
#include "crypto/b64.h"
#include "crypto/ec.h"
#include "crypto/ecmr-key.h"
#include "crypto/ecmr.h"
#include "crypto/hash.h"
#include "crypto/jws-sign.h"
#include "crypto/jws.h"
#include "crypto/rsa.h"
#include "sss/policy.h"
#include "sss/shamir.h"

#include "tests/unit/local.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/rand.h>

#define EXPORT __attribute__((visibility("default")))

/* --- memory --- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

#ifndef __SANITIZE_ADDRESS__
static size_t allocations, fails_at; /* counted from 1; 0: none fails */

static bool runs_out(void)
{
	return ++allocations == fails_at;
}

EXPORT void *malloc(size_t size)
{
	return runs_out() ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t n, size_t size)
{
	return runs_out() ? NULL : __libc_calloc(n, size);
}

EXPORT void *realloc(void *p, size_t size)
{
	return runs_out() ? NULL : __libc_realloc(p, size);
}
#endif

/* --- randomness --- */

static bool random_fails;

EXPORT int RAND_bytes(unsigned char *p, int n)
{
	return random_fails ? 0 : RAND_bytes_ex(NULL, p, (size_t)n, 0);
}

EXPORT int RAND_priv_bytes(unsigned char *p, int n)
{
	return random_fails ? 0 : RAND_priv_bytes_ex(NULL, p, (size_t)n, 0);
}

EXPORT int BN_priv_rand_range(BIGNUM *ret, const BIGNUM *range)
{
	return random_fails ? 0 : BN_priv_rand_range_ex(ret, range, 0, NULL);
}

/* --- what is tried --- */

static struct jwk pair, other;
static json_t *pair_json, *signed_json, *jwe_json, *sss_header;
static struct jwe sealed;
static struct rsa_public rsa;
static struct buf shares, pem, token_text, pair_text;
static struct token token;
static char *compact;

static void no_line(void *to, enum log_level level, const char *line)
{
	(void)to;
	(void)level;
	(void)line;
}

static const struct log quiet = {.sink = no_line};

/* The local pin's own is for tests that have memory. */
static int describe(const struct pin *const *all, const json_t *hdr, json_t *facts)
{
	(void)all;
	(void)hdr;
	return json_object_set_new(facts, "place", json_string("here")) == 0 ? 0 : -ENOMEM;
}

static const struct pin pin_plain = {
	.name = "local",
	.flags = PIN_LOCAL,
	.check = local_check,
	.encrypt = local_encrypt,
	.decrypt = local_decrypt,
	.describe = describe,
	.release = local_release,
};

const struct pin *const pins[] = {&pin_plain, NULL};

static const struct ref some = {(const uint8_t *)"0123456789abcdefghijklmnopqrstuv", 32};

#define FOR_BUF(name, call)                                \
	static int name(void)                              \
	{                                                  \
		CLEANUP(buf_done) struct buf ret = {0};    \
		int r = call;                              \
                                                           \
		assert_true(r == 0 || (!ret.p && !ret.n)); \
		return r;                                  \
	}

#define FOR_JSON(name, call)                     \
	static int name(void)                    \
	{                                        \
		CLEANUP_JSON json_t *ret = NULL; \
		int r = call;                    \
                                                 \
		assert_true(r == 0 || !ret);     \
		return r;                        \
	}

#define FOR_TEXT(name, call)                 \
	static int name(void)                \
	{                                    \
		char *ret = NULL;            \
		int r = call;                \
                                             \
		assert_true(r == 0 || !ret); \
		free(ret);                   \
		return r;                    \
	}

#define FOR_JWK(name, call)                                      \
	static int name(void)                                    \
	{                                                        \
		CLEANUP(jwk_done) struct jwk ret = {0};          \
		int r = call;                                    \
                                                                 \
		assert_true(r == 0 || (!ret.curve && !ret.k.p)); \
		return r;                                        \
	}

FOR_BUF(try_buf_init, buf_init(&ret, 10))
FOR_BUF(try_buf_copy, buf_copy(&ret, some))
FOR_BUF(try_buf_random, buf_random(&ret, 32))
FOR_BUF(try_b64_decode, b64_decode(ref_str("QUJD"), &ret))
FOR_BUF(try_js_b64, js_b64(pair_json, "x", &ret))
FOR_JSON(try_js_load, js_load(ref_str("{\"a\": [1, {\"b\": \"c\"}]}"), &ret))
FOR_TEXT(try_js_dump, js_dump(pair_json, &ret))
FOR_JWK(try_jwk_from_json, jwk_from_json(pair_json, &ret))
FOR_JWK(try_jwk_read, jwk_read(buf_ref(&pair_text), &ret))
FOR_JWK(try_jwk_generate, jwk_generate(curve_by_name("P-256"), &ret))
FOR_BUF(try_jwk_write_oct, jwk_write_oct(some, &ret))
FOR_BUF(try_jwk_read_oct, jwk_read_oct(ref_str("{\"k\":\"QUJD\",\"kty\":\"oct\"}"), 3, &ret))
FOR_JWK(try_ecmr_add, ecmr_add(&pair, &other, &ret))
FOR_JWK(try_ecmr_sub, ecmr_sub(&pair, &other, &ret))
FOR_JWK(try_ecmr_mul, ecmr_mul(&other, &pair, &ret))
FOR_BUF(try_jws_payload, jws_payload(signed_json, &ret))
FOR_BUF(try_jwe_open, jwe_open(&sealed, some, &ret))
FOR_TEXT(try_jwe_to_compact, jwe_to_compact(&sealed, &ret))
FOR_BUF(try_jwe_derive_cek, jwe_derive_cek(sealed.hdr, some, &ret))
FOR_BUF(try_rsa_to_pem, rsa_to_pem(&rsa, &ret))
FOR_BUF(try_shamir_combine,
	shamir_combine((struct ref){shamir_prime, SHAMIR_SIZE}, 2, buf_ref(&shares), &ret))
FOR_TEXT(try_token_format, token_format(&token, &ret))
FOR_JSON(try_token_describe, token_describe(&token, &ret))
FOR_BUF(try_token_new_secret, token_new_secret(&ret))

static int try_jwk_thumbprint(void)
{
	char ret[JWK_THUMBPRINT_MAX + 1];

	return jwk_thumbprint(&pair, "S256", ret);
}

static int try_ecmr_key(void)
{
	struct ecmr_key *key = NULL;
	struct jwk ret = {0};
	int r;

	r = ecmr_key_new(&pair, &key);
	if (r == 0)
		r = ecmr_key_mul(key, &other, &ret);
	if (key)
		ecmr_key_free(key);
	jwk_done(&ret);
	return r;
}

static int try_hash_digest(void)
{
	uint8_t ret[HASH_SIZE_MAX];

	return hash_digest("SHA256", &some, 1, ret);
}

static int try_hash_pbkdf2(void)
{
	uint8_t ret[32];

	return hash_pbkdf2(some, some, 1, ret, sizeof(ret));
}

static int try_jws_verify(void)
{
	return jws_verify(signed_json, &pair);
}

static int try_jws_sign(void)
{
	CLEANUP(jws_signature_done) struct jws_signature signature = {0};
	const struct jws_signature *const list[] = {&signature};
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	r = jws_sign(some, "jwk-set+json", &pair, &signature);
	return r < 0 ? r : jws_write(some, list, 1, &text);
}

static int try_jwe_from_json(void)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};

	return jwe_from_json(jwe_json, &jwe);
}

static int try_jwe_from_compact(void)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};

	return jwe_from_compact(ref_str(compact), &jwe);
}

static int try_jwe_seal(void)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};

	return jwe_seal(sealed.hdr, some, some, &jwe);
}

static int try_jwe_agree(void)
{
	CLEANUP_JSON json_t *hdr = json_object();
	CLEANUP(buf_done) struct buf cek = {0};

	return hdr ? jwe_agree(hdr, &other, &cek) : -ENOMEM;
}

static int try_rsa_from_pem(void)
{
	CLEANUP(rsa_public_done) struct rsa_public key = {0};

	return rsa_from_pem(buf_ref(&pem), &key);
}

static int try_rsa_from_der(void)
{
	CLEANUP(rsa_public_done) struct rsa_public key = {0};

	return rsa_from_der(buf_ref(&rsa.der), &key);
}

static int try_policy_read(void)
{
	CLEANUP(policy_done) struct policy policy = {0};

	return policy_read(sss_header, &quiet, &policy);
}

static int try_shamir_split(void)
{
	CLEANUP(buf_done) struct buf secret = {0};
	CLEANUP(buf_done) struct buf parts = {0};
	int r = shamir_split(2, 3, &secret, &parts);

	assert_true(r == 0 || (!secret.p && !parts.p));
	return r;
}

static int try_token_parse(void)
{
	CLEANUP(token_done) struct token parsed = {0};

	return token_parse(buf_ref(&token_text), &quiet, &parsed);
}

/*
 * A function; whether its header says that it may lack randomness; whether OpenSSL and jansson may
 * have refused what they had no memory for.
 */
static const struct {
	const char *name;
	int (*run)(void);
	bool randomness, vague;
} functions[] = {
	{"buf_init", try_buf_init, false, false},
	{"buf_copy", try_buf_copy, false, false},
	{"buf_random", try_buf_random, true, false},
	{"b64_decode", try_b64_decode, false, false},
	{"js_load", try_js_load, false, true},
	{"js_dump", try_js_dump, false, false},
	{"js_b64", try_js_b64, false, false},
	{"jwk_from_json", try_jwk_from_json, false, true},
	{"jwk_read", try_jwk_read, false, true},
	{"jwk_generate", try_jwk_generate, true, false},
	{"jwk_write_oct", try_jwk_write_oct, false, false},
	{"jwk_read_oct", try_jwk_read_oct, false, false},
	{"jwk_thumbprint", try_jwk_thumbprint, false, false},
	{"ecmr_add", try_ecmr_add, false, true},
	{"ecmr_sub", try_ecmr_sub, false, true},
	{"ecmr_mul ec_point_load ec_multiply ec_point_store", try_ecmr_mul, false, true},
	{"ecmr_key_new ecmr_key_mul", try_ecmr_key, false, true},
	{"hash_digest", try_hash_digest, false, false},
	{"hash_pbkdf2", try_hash_pbkdf2, false, false},
	{"jws_payload", try_jws_payload, false, false},
	{"jws_verify", try_jws_verify, false, true},
	{"jws_sign jws_write ec_pkey", try_jws_sign, false, false},
	{"jwe_from_json", try_jwe_from_json, false, true},
	{"jwe_from_compact", try_jwe_from_compact, false, true},
	{"jwe_to_compact", try_jwe_to_compact, false, false},
	{"jwe_seal", try_jwe_seal, true, false},
	{"jwe_open", try_jwe_open, false, false},
	{"jwe_agree", try_jwe_agree, true, true},
	{"jwe_derive_cek", try_jwe_derive_cek, false, false},
	{"rsa_from_pem", try_rsa_from_pem, false, false},
	{"rsa_from_der", try_rsa_from_der, false, true},
	{"rsa_to_pem", try_rsa_to_pem, false, false},
	{"policy_read", try_policy_read, false, false},
	{"shamir_split", try_shamir_split, true, false},
	{"shamir_combine", try_shamir_combine, false, true},
	{"token_parse", try_token_parse, false, true},
	{"token_format", try_token_format, false, false},
	{"token_describe", try_token_describe, false, false},
	{"token_new_secret", try_token_new_secret, true, false},
};

#ifndef __SANITIZE_ADDRESS__
/* What it returns where its n-th allocation fails; 0 where that was done without. */
static int without(size_t i, size_t n)
{
	int r;

	fails_at = n;
	allocations = 0;
	r = functions[i].run();
	fails_at = 0;
	return r;
}

static void test_without_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		size_t all, told = 0;

		/* What OpenSSL keeps for good is there after the first time. */
		expect(functions[i].name, functions[i].run(), 0);
		expect(functions[i].name, without(i, 0), 0);
		all = allocations;
		/* Reading an RSA key takes thousands. */
		for (size_t n = 1; n <= all; n += 1 + all / 400) {
			int r = without(i, n);

			if (r != 0 && r != -ENOMEM &&
			    !((r == -EBADMSG || r == -EKEYREJECTED) && functions[i].vague) &&
			    !(r == -EIO && functions[i].randomness))
				fail_msg("%s: allocation %zu of %zu fails: returned %d",
					 functions[i].name, n, all, r);
			told += r == -ENOMEM;
		}
		if (told == 0)
			fail_msg("%s: never -ENOMEM in %zu allocations", functions[i].name, all);
	}
}
#endif

static void test_without_randomness(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		int r;

		random_fails = true;
		r = functions[i].run();
		random_fails = false;
		if (functions[i].randomness)
			expect(functions[i].name, r, -EIO);
		expect(functions[i].name, functions[i].run(), 0);
	}
}

/* --- fixtures --- */

static const char rsa_pem[] = "-----BEGIN PUBLIC KEY-----\n"
			      "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA5o42Q1nhOw68+LDEK7uG\n"
			      "Bofd4QAFgjlqfp3HRZggOnx63/5Oakm4LW8bHGpevttIMZfTdBu/1+E2ZKLB3EPK\n"
			      "Y4akBZitXJ7c3RlQxETdvu7Yi62loJ41KnrrM+3NmOySw+lwWWEJvRGwChLaRRKf\n"
			      "/joODf6Tg13MflHyT2XhfK2C6vu3+h/7pnMrl4FA6Q9uMW0qvB191pAIT09y++6H\n"
			      "AbLb74UdP5kjRF7ajRnfodYbe8NPVxWvlnpm/D7eKu5IySQAWWcaeD+Gt5JWPN59\n"
			      "1AlXCmDqQfERfmm/SEKRGEO/gW2BK/nVgPi40Dkf1Z5ylWwir6WoL09oe1gG9SX9\n"
			      "zQIDAQAB\n"
			      "-----END PUBLIC KEY-----\n";

static void make_keys(void)
{
	static const char pair_format[] =
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\",\"d\":\"%.*s\"}";
	CLEANUP(buf_done) struct buf d = {0};
	char text[512];

	assert_int_equal(jwk_generate(curve_by_name("P-256"), &pair), 0);
	assert_int_equal(jwk_generate(curve_by_name("P-256"), &other), 0);
	pair_json = jwk_to_json(&pair);
	assert_non_null(pair_json);
	assert_int_equal(buf_init(&d, 100), 0);
	assert_int_equal(b64_encode((struct ref){pair.d, 32}, &d), 0);
	(void)snprintf(text, sizeof(text), pair_format, js_str(pair_json, "x"),
		       js_str(pair_json, "y"), (int)d.n, (const char *)d.p);
	assert_int_equal(buf_copy(&pair_text, ref_str(text)), 0);
	assert_int_equal(buf_copy(&pem, ref_str(rsa_pem)), 0);
	assert_int_equal(rsa_from_pem(buf_ref(&pem), &rsa), 0);
}

static void make_signed(void)
{
	CLEANUP(jws_signature_done) struct jws_signature signature = {0};
	const struct jws_signature *const list[] = {&signature};
	CLEANUP(buf_done) struct buf text = {0};

	assert_int_equal(jws_sign(some, "jwk-set+json", &pair, &signature), 0);
	assert_int_equal(jws_write(some, list, 1, &text), 0);
	assert_int_equal(js_load(buf_ref(&text), &signed_json), 0);
}

/* Of the form that the local pin of other tests has: sss holds any JWEs. */
static void make_sealed(void)
{
	CLEANUP_JSON json_t *hdr = json_pack("{ssss}", "alg", "dir", "enc", "A256GCM");
	CLEANUP(buf_done) struct buf secret = {0};
	json_t *p;

	assert_int_equal(jwe_seal(hdr, some, some, &sealed), 0);
	jwe_json = jwe_to_json(&sealed);
	assert_non_null(jwe_json);
	assert_int_equal(jwe_to_compact(&sealed, &compact), 0);
	assert_int_equal(shamir_split(2, 2, &secret, &shares), 0);
	p = js_from_b64((struct ref){shamir_prime, SHAMIR_SIZE});
	sss_header =
		json_pack("{ss ss s{ss s{si so s[ss]}}}", "alg", "dir", "enc", "A256GCM", "clevis",
			  "pin", "sss", "sss", "t", 1, "p", p, "jwe", compact, compact);
	assert_non_null(sss_header);
}

static void make_token(void)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP_JSON json_t *
		json = NULL,
	       *hdr = json_of(
		       "{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"clevis\":{\"pin\":\"local\",\"local\":{}}}");
	char *text = NULL;

	assert_int_equal(jwe_seal(hdr, some, some, &jwe), 0);
	json = json_pack("{ss s[s] so}", "type", "cotter-local", "keyslots", "1", "jwe",
			 jwe_to_json(&jwe));
	assert_non_null(json);
	assert_int_equal(js_dump(json, &text), 0);
	assert_int_equal(buf_copy(&token_text, ref_str(text)), 0);
	free(text);
	assert_int_equal(token_parse(buf_ref(&token_text), &quiet, &token), 0);
}

static int set_up(void **state)
{
	(void)state;
	make_keys();
	make_signed();
	make_sealed();
	make_token();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	token_done(&token);
	buf_done(&token_text);
	json_decref(sss_header);
	buf_done(&shares);
	free(compact);
	json_decref(jwe_json);
	jwe_done(&sealed);
	json_decref(signed_json);
	rsa_public_done(&rsa);
	buf_done(&pem);
	buf_done(&pair_text);
	json_decref(pair_json);
	jwk_done(&other);
	jwk_done(&pair);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#ifndef __SANITIZE_ADDRESS__ /* which has an allocator of its own */
		cmocka_unit_test(test_without_memory),
#endif
		cmocka_unit_test(test_without_randomness),
	};

	return cmocka_run_group_tests_name("scarce", tests, set_up, tear_down);
}
