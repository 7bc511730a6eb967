/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JWE: sealing and opening, every bit counts, key agreement against RFC 7518's example. */
#include "crypto/b64.h"
#include "crypto/ecmr.h"
#include "crypto/jwe.h"

#include "tests/unit/vectors/jose.h"

#include <openssl/evp.h>

#define DIR "{\"alg\":\"dir\",\"enc\":\"A256GCM\"}"

static const uint8_t key_bytes[JWE_CEK_SIZE] = "0123456789abcdefghijklmnopqrstuv";
static const struct ref cek = {key_bytes, sizeof(key_bytes)};

static struct jwe seal(const char *header, const char *plaintext)
{
	CLEANUP_JSON json_t *hdr = json_of(header);
	struct jwe jwe = {0};

	expect(header, jwe_seal(hdr, cek, ref_str(plaintext), &jwe), 0);
	return jwe;
}

/* Parses and opens. */
static int open_json(const json_t *value, struct buf *ret)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	int r;

	r = jwe_from_json(value, &jwe);
	return r < 0 ? r : jwe_open(&jwe, cek, ret);
}

static int open_compact(const char *text)
{
	CLEANUP(buf_done) struct buf exact = {0};
	CLEANUP(buf_done) struct buf plain = {0};
	CLEANUP(jwe_done) struct jwe jwe = {0};
	int r;

	assert_int_equal(buf_copy(&exact, ref_str(text)), 0);
	r = jwe_from_compact(buf_ref(&exact), &jwe);
	if (r == 0)
		r = jwe_open(&jwe, cek, &plain);
	return r;
}

static void test_round_trip(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 32, 43, 1000, 65536};
	static const uint8_t bytes[65536] = {1, 2, 3};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct ref plaintext = {bytes, sizes[i]};
		CLEANUP_JSON json_t *hdr = json_of(DIR), *json = NULL, *string = NULL;
		CLEANUP(jwe_done) struct jwe jwe = {0};
		char *compact = NULL;

		assert_int_equal(jwe_seal(hdr, cek, plaintext, &jwe), 0);
		assert_int_equal(jwe.ciphertext.n, sizes[i]);
		json = jwe_to_json(&jwe);
		assert_int_equal(jwe_to_compact(&jwe, &compact), 0);
		string = json_string(compact);
		free(compact);

		for (int form = 0; form < 2; form++) {
			CLEANUP(buf_done) struct buf plain = {0};

			assert_int_equal(open_json(form ? string : json, &plain), 0);
			assert_true(ref_equal(buf_ref(&plain), plaintext));
		}
	}
}

static void test_members_and_header(void **state)
{
	static const char *const members[] = {"protected", "encrypted_key", "iv", "ciphertext",
					      "tag"};
	static const char header[] =
		"{\"enc\":\"A256GCM\",\"clevis\":{\"pin\":\"x\"},\"alg\":\"dir\"}";
	CLEANUP_JSON json_t *hdr = json_of(header), *unchanged = json_of(header), *json = NULL;
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP(jwe_done) struct jwe back = {0};
	CLEANUP(buf_done) struct buf text = {0};

	(void)state;
	assert_int_equal(jwe_seal(hdr, cek, ref_str("secret"), &jwe), 0);
	assert_ptr_equal(jwe.hdr, hdr);
	assert_true(json_equal(hdr, unchanged));

	json = jwe_to_json(&jwe);
	assert_int_equal(json_object_size(json), ARRAY_SIZE(members));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		assert_non_null(js_str(json, members[i]));
	assert_string_equal(js_str(json, "encrypted_key"), "");
	assert_string_equal(js_str(json, "protected"), jwe.prot);
	assert_int_equal(js_b64(json, "protected", &text), 0);
	assert_ref_is(buf_ref(&text),
		      "{\"alg\":\"dir\",\"clevis\":{\"pin\":\"x\"},\"enc\":\"A256GCM\"}");

	assert_int_equal(jwe_from_json(json, &back), 0);
	assert_true(json_equal(back.hdr, hdr));
	assert_string_equal(back.prot, jwe.prot);

	json_object_del(json, "encrypted_key"); /* may be left out where it is empty */
	jwe_done(&back);
	assert_int_equal(jwe_from_json(json, &back), 0);
}

static void test_fresh_iv(void **state)
{
	CLEANUP(jwe_done) struct jwe a = seal(DIR, "secret");
	CLEANUP(jwe_done) struct jwe b = seal(DIR, "secret");

	(void)state;
	assert_memory_not_equal(a.iv, b.iv, JWE_IV_SIZE);
	assert_memory_not_equal(a.ciphertext.p, b.ciphertext.p, 6);
}

/* Every character of every part, so every bit of header, IV, ciphertext and tag. */
static void test_each_character_flipped(void **state)
{
	static const char *const members[] = {"protected", "iv", "ciphertext", "tag"};
	CLEANUP(jwe_done) struct jwe jwe = seal(DIR, "the secret to keep");
	CLEANUP_JSON json_t *json = jwe_to_json(&jwe);
	struct buf plain;
	char *compact = NULL;

	(void)state;
	memset(&plain, UNTOUCHED, sizeof(plain));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		char *text = strdup(js_str(json, members[i]));

		for (size_t at = 0; text[at]; at++) {
			char was = text[at];

			for (const char *c = "ABQgw_"; *c; c++) { /* each differs in other bits */
				text[at] = *c;
				json_object_set_new(json, members[i], json_string(text));
				if (*c != was)
					expect_refused(members[i], open_json(json, &plain));
			}
			text[at] = was;
			json_object_set_new(json, members[i], json_string(text));
		}
		free(text);
	}
	assert_untouched("opening", &plain, sizeof(plain));

	assert_int_equal(jwe_to_compact(&jwe, &compact), 0);
	assert_int_equal(open_compact(compact), 0);
	for (char *c = compact; *c; c++) {
		char was = *c;

		*c = was == 'A' ? 'B' : 'A';
		expect_refused("compact", open_compact(compact));
		*c = was;
	}
	free(compact);
}

static void test_each_bit_of_the_key(void **state)
{
	CLEANUP(jwe_done) struct jwe jwe = seal(DIR, "secret");
	uint8_t other[JWE_CEK_SIZE + 1] = {0};
	struct buf plain;

	(void)state;
	memset(&plain, UNTOUCHED, sizeof(plain));
	memcpy(other, key_bytes, sizeof(key_bytes));
	for (size_t bit = 0; bit < 8 * JWE_CEK_SIZE; bit++) {
		other[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(jwe_open(&jwe, (struct ref){other, JWE_CEK_SIZE}, &plain),
				 -EBADMSG);
		other[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t n = 0; n <= sizeof(other); n++)
		if (n != JWE_CEK_SIZE)
			assert_int_equal(jwe_open(&jwe, (struct ref){other, n}, &plain), -EINVAL);
	assert_untouched("opening", &plain, sizeof(plain));
}

static void test_seal_refuses(void **state)
{
	/* provokes: jwe_seal -EINVAL -EOPNOTSUPP */
	static const struct {
		const char *header;
		size_t key_size;
		int want;
	} cases[] = {
		{DIR, 0, -EINVAL},
		{DIR, 16, -EINVAL},
		{DIR, 31, -EINVAL},
		{DIR, 33, -EINVAL},
		{DIR, 64, -EINVAL},
		{"{\"alg\":\"A256KW\",\"enc\":\"A256GCM\"}", 32, -EOPNOTSUPP},
		{"{\"alg\":\"dir\",\"enc\":\"A128GCM\"}", 32, -EOPNOTSUPP},
		{"{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\"}", 32, -EOPNOTSUPP},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"zip\":\"DEF\"}", 32, -EOPNOTSUPP},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"crit\":[]}", 32, -EOPNOTSUPP},
	};
	static const uint8_t zeros[64];
	struct jwe jwe;

	(void)state;
	memset(&jwe, UNTOUCHED, sizeof(jwe));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *hdr = json_of(cases[i].header);

		expect(cases[i].header,
		       jwe_seal(hdr, (struct ref){zeros, cases[i].key_size}, ref_str("x"), &jwe),
		       cases[i].want);
		assert_untouched(cases[i].header, &jwe, sizeof(jwe));
	}
}

/* RFC 7518 section 4.6.2 by hand, as far as one round of SHA-256 reaches. */
static void concat_kdf(struct ref z, const char *enc, const char *apu, const char *apv,
		       uint32_t key_bits, uint8_t ret[32])
{
	const char *const fields[] = {enc, apu, apv};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t number[4] = {0, 0, 0, 1};

	assert_int_equal(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL), 1);
	assert_int_equal(EVP_DigestUpdate(ctx, number, 4), 1);
	assert_int_equal(EVP_DigestUpdate(ctx, z.p, z.n), 1);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		number[3] = (uint8_t)strlen(fields[i]);
		assert_int_equal(EVP_DigestUpdate(ctx, number, 4), 1);
		assert_int_equal(EVP_DigestUpdate(ctx, fields[i], strlen(fields[i])), 1);
	}
	number[2] = (uint8_t)(key_bits >> 8);
	number[3] = (uint8_t)key_bits;
	assert_int_equal(EVP_DigestUpdate(ctx, number, 4), 1);
	assert_int_equal(EVP_DigestFinal_ex(ctx, ret, NULL), 1);
	EVP_MD_CTX_free(ctx);
}

/* What nobody could read again, which is told by the length alone. */
static void test_seal_too_long(void **state)
{
	CLEANUP_JSON json_t *hdr = json_of(DIR);
	const struct ref text = {key_bytes, JWE_TEXT_MAX + 1UL};
	CLEANUP(buf_done) struct buf filler = {0};
	struct jwe jwe;

	(void)state;
	memset(&jwe, UNTOUCHED, sizeof(jwe));
	assert_int_equal(jwe_seal(hdr, cek, text, &jwe), -E2BIG);

	assert_int_equal(buf_init(&filler, JS_TEXT_MAX / 4 * 3), 0);
	memset(filler.p, 'x', filler.cap);
	assert_int_equal(json_object_set_new(hdr, "filler",
					     json_stringn((const char *)filler.p, filler.cap)),
			 0);
	assert_int_equal(jwe_seal(hdr, cek, ref_str("x"), &jwe), -E2BIG);
	assert_untouched("too long", &jwe, sizeof(jwe));
}

/* What a person reads behind "its JWE". */
static void test_explain(void **state)
{
	(void)state;
	assert_string_equal(jwe_explain(-E2BIG), "is too large");
	assert_string_equal(jwe_explain(-EBADMSG), "is malformed");
	assert_non_null(strstr(jwe_explain(-EOPNOTSUPP), "not supported"));
	assert_non_null(strstr(jwe_explain(-ENOMEM), "out of memory"));
}

static void test_derive_cek(void **state)
{
	static const struct {
		const char *header, *apu, *apv;
	} cases[] = {
		{"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"}", "", ""},
		{"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"apu\":\"\",\"apv\":\"\"}", "", ""},
		{"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"apu\":\"QWxpY2U\",\"apv\":\"Qm9i\"}",
		 "Alice", "Bob"},
		{"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"apv\":\"Qm9i\"}", "", "Bob"},
	};
	CLEANUP_JSON json_t *published =
		json_of("{\"z\":\"" C_Z "\",\"key\":\"VqqN6vgjbSBcIijNcacQGg\"}");
	CLEANUP(buf_done) struct buf z = {0};
	CLEANUP(buf_done) struct buf key = {0};
	uint8_t want[32];

	(void)state;
	/* RFC 7518 appendix C vouches for the function above … */
	assert_int_equal(js_b64(published, "z", &z), 0);
	assert_int_equal(js_b64(published, "key", &key), 0);
	concat_kdf(buf_ref(&z), "A128GCM", "Alice", "Bob", 128, want);
	assert_memory_equal(want, key.p, 16);

	/* … and that function for ours. */
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *hdr = json_of(cases[i].header);
		CLEANUP(buf_done) struct buf got = {0};

		assert_int_equal(jwe_derive_cek(hdr, buf_ref(&z), &got), 0);
		concat_kdf(buf_ref(&z), "A256GCM", cases[i].apu, cases[i].apv, 256, want);
		assert_int_equal(got.n, JWE_CEK_SIZE);
		assert_memory_equal(got.p, want, JWE_CEK_SIZE);
	}
}

static void test_derive_cek_refuses(void **state)
{
	static const char *const cases[] = {
		"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"apu\":\"Qm9i=\"}",
		"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"apv\":\"!\"}",
		"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"apu\":1}",
		"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"apv\":null}",
	};
	struct buf got;

	(void)state;
	memset(&got, UNTOUCHED, sizeof(got));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *hdr = json_of(cases[i]);

		expect(cases[i], jwe_derive_cek(hdr, cek, &got), -EBADMSG);
		assert_untouched(cases[i], &got, sizeof(got));
	}
}

/* Sender and receiver come to one key, on every curve, with what the header carries. */
static void test_agree(void **state)
{
	static const char *const names[] = {"P-256", "P-384", "P-521"};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(names); i++) {
		CLEANUP_JSON json_t *hdr = json_of(i % 2 ? "{\"apu\":\"QWxpY2U\"}" : "{}");
		CLEANUP(buf_done) struct buf sent = {0};
		CLEANUP(buf_done) struct buf received = {0};
		struct jwk to = {0}, epk = {0}, z = {0};

		assert_int_equal(jwk_generate(curve_by_name(names[i / 2]), &to), 0);
		assert_int_equal(jwe_agree(hdr, &to, &sent), 0);
		assert_int_equal(sent.n, JWE_CEK_SIZE);
		assert_string_equal(js_str(hdr, "alg"), "ECDH-ES");
		assert_string_equal(js_str(hdr, "enc"), "A256GCM");
		assert_null(json_object_get(json_object_get(hdr, "epk"), "d"));

		assert_int_equal(jwk_from_json(json_object_get(hdr, "epk"), &epk), 0);
		assert_ptr_equal(epk.curve, to.curve);
		assert_int_equal(ecmr_mul(&epk, &to, &z), 0);
		assert_int_equal(jwe_derive_cek(hdr, (struct ref){z.x, z.curve->size}, &received),
				 0);
		assert_true(ref_equal(buf_ref(&sent), buf_ref(&received)));
	}
}

static void test_agree_refuses(void **state)
{
	CLEANUP_JSON json_t *hdr = json_object();
	CLEANUP(jwk_done) struct jwk to = {0};
	CLEANUP(buf_done) struct buf got = {0};

	(void)state;
	assert_int_equal(jwk_generate(curve_by_name("P-256"), &to), 0);
	to.y[0] ^= 1;
	assert_int_equal(jwe_agree(hdr, &to, &got), -EBADMSG);
	assert_null(got.p);
}

static void test_done(void **state)
{
	struct jwe jwe = {0};

	(void)state;
	jwe_done(&jwe);
	jwe = seal(DIR, "x");
	jwe_done(&jwe);
	assert_null(jwe.hdr);
	assert_null(jwe.prot);
	assert_null(jwe.ciphertext.p);
	jwe_done(&jwe);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_members_and_header),
		cmocka_unit_test(test_fresh_iv),
		cmocka_unit_test(test_each_character_flipped),
		cmocka_unit_test(test_each_bit_of_the_key),
		cmocka_unit_test(test_seal_refuses),
		cmocka_unit_test(test_seal_too_long),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_derive_cek),
		cmocka_unit_test(test_derive_cek_refuses),
		cmocka_unit_test(test_agree),
		cmocka_unit_test(test_agree_refuses),
		cmocka_unit_test(test_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
