/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done without a TPM, while memory runs out or there is no randomness. */
#include "crypto/b64.h"
#include "crypto/ec.h"
#include "crypto/ecmr-key.h"
#include "crypto/ecmr.h"
#include "crypto/hash.h"
#include "crypto/jws-sign.h"
#include "crypto/jws.h"
#include "crypto/public.h"
#include "crypto/rsa.h"
#include "pkcs11/pkcs11.h"
#include "sss/policy.h"
#include "sss/shamir.h"
#include "tests/unit/local.h"
#include "tests/unit/scarce.h"

#include <sys/resource.h>

#include <openssl/x509.h>

static struct jwk pair, other;
static json_t *pair_json, *signed_json, *jwe_json, *sss_header;
static struct jwe sealed, tree;
static struct rsa_public rsa;
static struct buf shares, pem, token_text, pair_text, certificate;
static struct public_key rsa_key;
static struct cot cot;
static struct job job;
static struct token token;
static char *compact;

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

static const struct pin *const sss_pins[] = {&pin_sss, &pin_plain, NULL};

static const char tree_config[] = "{\"t\":2,\"pins\":{\"local\":[{},{}]}}";

static const struct ref some = {(const uint8_t *)"0123456789abcdefghijklmnopqrstuv", 32};

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
FOR_BUF(try_public_encrypt, public_encrypt(&rsa_key, RSA_PADDING_OAEP_SHA256, some, &ret))
FOR_BUF(try_shamir_combine,
	shamir_combine((struct ref){shamir_prime, SHAMIR_SIZE}, 2, buf_ref(&shares), &ret))
FOR_TEXT(try_token_format, token_format(&token, &ret))
FOR_JSON(try_token_describe, token_describe(&token, &ret))
FOR_JSON(try_token_report, token_report(&job, &ret))
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

static int from_numbers(struct public_key *ret)
{
	static const uint8_t exponent[] = {1, 0, 1};

	return public_from_rsa((struct ref){rsa.modulus, rsa.modulus_len},
			       (struct ref){exponent, sizeof(exponent)}, ret);
}

static int try_public_from_rsa(void)
{
	CLEANUP(public_key_done) struct public_key key = {0};
	int r = from_numbers(&key);

	assert_true(r == 0 || !key.pkey);
	return r;
}

static int try_public_from_ec(void)
{
	static const uint8_t oid[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	CLEANUP(public_key_done) struct public_key key = {0};
	uint8_t point[3 + 2 * 32] = {0x04, 1 + 2 * 32, 0x04};
	int r;

	memcpy(point + 3, pair.x, 32);
	memcpy(point + 3 + 32, pair.y, 32);
	r = public_from_ec((struct ref){oid, sizeof(oid)}, (struct ref){point, sizeof(point)},
			   &key);
	assert_true(r == 0 || !key.ec.curve);
	return r;
}

static int try_public_from_certificate(void)
{
	CLEANUP(public_key_done) struct public_key key = {0};
	int r = public_from_certificate(buf_ref(&certificate), &key);

	assert_true(r == 0 || !key.ec.curve);
	return r;
}

static int try_check_uri(void)
{
	return pkcs11_check_uri("pkcs11:token=t;id=%01?pin-value=1234", &quiet);
}

static int try_conceal(void)
{
	CLEANUP_JSON json_t *config = NULL;
	int r;

	unlimited = true;
	config = json_of("{\"uri\":\"pkcs11:token=t?pin-value=1234\"}");
	unlimited = false;
	r = pkcs11_conceal(config);
	assert_true(r < 0 || !strstr(js_str(config, "uri"), "1234"));
	return r;
}

/* Without a file number to load a module with: what other programs' modules do is not tried. */
static int try_tokens(void)
{
	CLEANUP_JSON json_t *tokens = NULL;
	struct rlimit before, none;
	int r;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = pkcs11_tokens(&tokens);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(r == 0 ? json_array_size(tokens) == 0 : !tokens);
	return r;
}

static int try_pin_check(void)
{
	const struct pin *pin = NULL;
	int r = pin_check(sss_pins, tree.hdr, &quiet, &pin);

	assert_true(r == 0 || !pin);
	return r;
}

static int try_pin_seal(void)
{
	CLEANUP_JSON json_t *cfg = NULL;
	CLEANUP(jwe_done) struct jwe jwe = {0};
	int r;

	unlimited = true;
	cfg = json_of(tree_config);
	unlimited = false;
	r = pin_seal(&cot, "sss", cfg, some, &jwe);
	assert_true(r == 0 || !jwe.hdr);
	return r;
}

static int try_policy_describe(void)
{
	CLEANUP_JSON json_t *facts = json_object();

	return policy_describe(sss_pins, tree.hdr, facts);
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

static const struct scarce functions[] = {
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
	{"public_from_rsa", try_public_from_rsa, false, true},
	{"public_from_ec", try_public_from_ec, false, true},
	{"public_from_certificate", try_public_from_certificate, false, true},
	{"public_encrypt", try_public_encrypt, false, true},
	{"pkcs11_check_uri", try_check_uri, false, false},
	{"pkcs11_conceal", try_conceal, false, false},
	{"pkcs11_tokens", try_tokens, false, false},
	{"pin_check", try_pin_check, false, true},
	{"pin_seal", try_pin_seal, true, true},
	{"policy_describe", try_policy_describe, false, true},
	{"policy_read", try_policy_read, false, false},
	{"shamir_split", try_shamir_split, true, false},
	{"shamir_combine", try_shamir_combine, false, true},
	{"token_parse", try_token_parse, false, true},
	{"token_format", try_token_format, false, false},
	{"token_describe", try_token_describe, false, false},
	{"token_report", try_token_report, false, false},
	{"token_new_secret", try_token_new_secret, true, false},
};

#ifndef __SANITIZE_ADDRESS__
static bool is_refusal(int r)
{
	return r == -EBADMSG || r == -EKEYREJECTED || r == -EOPNOTSUPP || r == -EIO;
}

static void test_without_memory(void **state)
{
	(void)state;
	/* Reading an RSA key takes thousands. */
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		assert_without_memory(&functions[i], 400, is_refusal);
}
#endif

static void test_without_randomness(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		assert_without_randomness(&functions[i]);
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
	assert_int_equal(from_numbers(&rsa_key), 0);
}

static void make_certificate(void)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	uint8_t *to;
	int n;

	assert_int_equal(X509_set_pubkey(x509, key), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), 3600));
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	n = i2d_X509(x509, NULL);
	assert_true(n > 0);
	assert_int_equal(buf_init(&certificate, (size_t)n), 0);
	to = certificate.p;
	assert_int_equal(i2d_X509(x509, &to), n);
	certificate.n = (size_t)n;
	X509_free(x509);
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

/* How the recovery of a small policy went. */
static void make_job(void)
{
	CLEANUP_JSON json_t *cfg = json_of(tree_config);
	CLEANUP(buf_done) struct buf secret = {0};

	cot = (struct cot){.pins = sss_pins, .log = &quiet, .deadline_us = UINT64_MAX};
	assert_int_equal(pin_seal(&cot, "sss", cfg, some, &tree), 0);
	assert_int_equal(job_init(&job, &cot, &tree), 0);
	assert_int_equal(pin_recover(&cot, &job, &secret), 0);
}

static int set_up(void **state)
{
	(void)state;
	make_keys();
	make_certificate();
	make_signed();
	make_sealed();
	make_token();
	make_job();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	job_done(&job);
	jwe_done(&tree);
	cot_done(&cot);
	token_done(&token);
	buf_done(&token_text);
	json_decref(sss_header);
	buf_done(&shares);
	free(compact);
	json_decref(jwe_json);
	jwe_done(&sealed);
	json_decref(signed_json);
	public_key_done(&rsa_key);
	buf_done(&certificate);
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
