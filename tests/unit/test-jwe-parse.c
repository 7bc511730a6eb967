/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JWE: what is refused when it is read, in both serializations. */
#include "crypto/jwe.h"

#include "tests/unit/vectors/jose.h"

#define DIR "{\"alg\":\"dir\",\"enc\":\"A256GCM\"}"

static const uint8_t key_bytes[JWE_CEK_SIZE];
static const struct ref cek = {key_bytes, sizeof(key_bytes)};

static struct jwe seal(const char *plaintext)
{
	CLEANUP_JSON json_t *hdr = json_of(DIR);
	struct jwe jwe = {0};

	assert_int_equal(jwe_seal(hdr, cek, ref_str(plaintext), &jwe), 0);
	return jwe;
}

/* Parses, from memory of just the text's size, and opens. */
static int open_compact(struct ref text)
{
	CLEANUP(buf_done) struct buf exact = {0};
	CLEANUP(buf_done) struct buf plain = {0};
	CLEANUP(jwe_done) struct jwe jwe = {0};
	int r;

	assert_int_equal(buf_copy(&exact, text), 0);
	r = jwe_from_compact(buf_ref(&exact), &jwe);
	return r < 0 ? r : jwe_open(&jwe, cek, &plain);
}

/* Whatever may be wrong with a header that is otherwise well sealed. */
static void test_header_refused(void **state)
{
	static const struct {
		const char *header;
		int want; /* 1: any refusal */
	} cases[] = {
		{DIR, 0},
		{" { \"enc\" : \"A256GCM\" , \"alg\":\"dir\", \"kid\":\"x\" } ", 0},
		{"{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A256GCM\",\"p2c\":1,\"p2s\":\"AAAA\"}",
		 -EOPNOTSUPP},
		{"{\"alg\":\"RSA-OAEP\",\"enc\":\"A256GCM\"}", -EOPNOTSUPP},
		{"{\"alg\":\"RSA1_5\",\"enc\":\"A256GCM\"}", -EOPNOTSUPP},
		{"{\"alg\":\"A256KW\",\"enc\":\"A256GCM\"}", -EOPNOTSUPP},
		{"{\"alg\":\"A256GCMKW\",\"enc\":\"A256GCM\"}", -EOPNOTSUPP},
		{"{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\"}", -EOPNOTSUPP},
		{"{\"alg\":\"DIR\",\"enc\":\"A256GCM\"}", -EOPNOTSUPP},
		{"{\"alg\":\"\",\"enc\":\"A256GCM\"}", -EOPNOTSUPP},
		{"{\"alg\":\"dir\",\"enc\":\"A128GCM\"}", -EOPNOTSUPP},
		{"{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\"}", -EOPNOTSUPP},
		{"{\"alg\":\"dir\",\"enc\":\"XC20P\"}", -EOPNOTSUPP},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"zip\":\"DEF\"}", -EOPNOTSUPP},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"zip\":null}", -EOPNOTSUPP},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"crit\":[\"exp\"]}", -EOPNOTSUPP},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"crit\":[]}", -EOPNOTSUPP},
		{"{}", 1},
		{"{\"alg\":\"dir\"}", 1},
		{"{\"enc\":\"A256GCM\"}", 1},
		{"{\"alg\":[\"dir\"],\"enc\":\"A256GCM\"}", 1},
		{"{\"alg\":\"dir\",\"enc\":1}", 1},
		{"", -EBADMSG},
		{"[]", -EBADMSG},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\"", -EBADMSG},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"alg\":\"dir\"}", -EBADMSG},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\"}x", -EBADMSG},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]}",
		 -E2BIG},
	};
	CLEANUP(jwe_done) struct jwe jwe = seal("x");
	CLEANUP_JSON json_t *json = jwe_to_json(&jwe);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct jwe parsed = {0};
		int r;

		json_object_set_new(json, "protected", js_from_b64(ref_str(cases[i].header)));
		r = jwe_from_json(json, &parsed);
		if (cases[i].want == 1)
			expect_refused(cases[i].header, r);
		else
			expect(cases[i].header, r, cases[i].want);
		jwe_done(&parsed);
	}
}

/* An algorithm with an encrypted key is unsupported, which is not the same as malformed. */
static void test_key_wrapping(void **state)
{
	CLEANUP(jwe_done) struct jwe jwe = seal("x");
	CLEANUP_JSON json_t *json = jwe_to_json(&jwe);
	struct jwe parsed = {0};

	(void)state;
	json_object_set_new(json, "encrypted_key", json_string("Zm9v"));
	assert_int_equal(jwe_from_json(json, &parsed), -EBADMSG);
	json_object_set_new(json, "protected",
			    js_from_b64(ref_str("{\"alg\":\"A256KW\",\"enc\":\"A256GCM\"}")));
	assert_int_equal(jwe_from_json(json, &parsed), -EOPNOTSUPP);
}

static void test_too_big(void **state)
{
	static const size_t sizes[] = {JS_TEXT_MAX, 2 * JS_TEXT_MAX, 4 * JS_TEXT_MAX};
	CLEANUP(jwe_done) struct jwe jwe = seal("x");
	CLEANUP_JSON json_t *json = jwe_to_json(&jwe);
	struct jwe parsed = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		CLEANUP(buf_done) struct buf header = {0};

		assert_int_equal(buf_init(&header, sizes[i] + sizeof(DIR)), 0);
		memset(header.p, ' ', sizes[i]);
		header.n = sizes[i];
		assert_int_equal(buf_append_str(&header, DIR), 0);
		json_object_set_new(json, "protected", js_from_b64(buf_ref(&header)));
		assert_int_equal(jwe_from_json(json, &parsed), -E2BIG);
	}
}

static void test_members_refused(void **state)
{
	static const struct {
		const char *name, *value; /* value NULL: taken away */
		int want;                 /* 1: any refusal */
	} cases[] = {
		{"unprotected", "{\"jku\":\"x\"}", 1},
		{"header", "{\"kid\":\"x\"}", 1},
		{"recipients", "[{\"encrypted_key\":\"\"},{\"encrypted_key\":\"\"}]", 1},
		{"recipients", "[{}]", 1},
		{"aad", "\"Zm9v\"", 1},
		{"aad", "\"\"", 1},
		{"encrypted_key", "\"Zm9v\"", 1},
		{"encrypted_key", "1", 1},
		{"encrypted_key", "null", 1},
		{"protected", NULL, -EBADMSG},
		{"protected", "{}", -EBADMSG},
		{"protected", "\"\"", -EBADMSG},
		{"iv", NULL, -EBADMSG},
		{"iv", "1", -EBADMSG},
		{"iv", "\"\"", -EBADMSG},
		{"iv", "\"AAAAAAAAAAAAAAA\"", -EBADMSG},    /* 11 bytes */
		{"iv", "\"AAAAAAAAAAAAAAAAAA\"", -EBADMSG}, /* 13 bytes */
		{"tag", NULL, -EBADMSG},
		{"tag", "null", -EBADMSG},
		{"tag", "\"AAAAAAAAAAAAAAAAAAAA\"", -EBADMSG},    /* 15 bytes */
		{"tag", "\"AAAAAAAAAAAAAAAAAAAAAAA\"", -EBADMSG}, /* 17 bytes */
		{"tag", "\"AAAAAA\"", -EBADMSG},
		{"tag", "\"\"", -EBADMSG},
		{"ciphertext", NULL, -EBADMSG},
		{"ciphertext", "[]", -EBADMSG},
		{"ciphertext", "\"Zg==\"", -EBADMSG},
	};
	static const char *const no_object[] = {"[]",   "1",        "null", "{}",
						"\"\"", "\"....\"", "[{}]"};
	CLEANUP(jwe_done) struct jwe jwe = seal("x");
	struct jwe parsed;

	(void)state;
	memset(&parsed, UNTOUCHED, sizeof(parsed));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *json = jwe_to_json(&jwe);
		int r;

		if (cases[i].value)
			json_object_set_new(json, cases[i].name, json_of(cases[i].value));
		else
			json_object_del(json, cases[i].name);
		r = jwe_from_json(json, &parsed);
		if (cases[i].want == 1)
			expect_refused(cases[i].name, r);
		else
			expect(cases[i].name, r, cases[i].want);
		assert_untouched(cases[i].name, &parsed, sizeof(parsed));
	}
	for (size_t i = 0; i < ARRAY_SIZE(no_object); i++) {
		CLEANUP_JSON json_t *json = json_of(no_object[i]);

		expect(no_object[i], jwe_from_json(json, &parsed), -EBADMSG);
		assert_untouched(no_object[i], &parsed, sizeof(parsed));
	}
}

static void test_compact_forms(void **state)
{
	/* put before the whole text, before its first dot, and behind it */
	static const struct {
		const char *before, *at_dot, *behind;
		int want;
	} cases[] = {
		{"", "", "", 0},
		{" \t\r\n", "", "\n \t\r", 0},
		{"", "", ".", -EBADMSG},
		{"", "", ".AAAA", -EBADMSG},
		{".", "", "", -EBADMSG},
		{"", ".", "", -EBADMSG},
		{"", ".AAAA", "", -EBADMSG},
		{"", "AAAA", "", -EBADMSG},
		{"", " ", "", -EBADMSG},
		{"", "\n", "", -EBADMSG},
		{"\"", "", "\"", -EBADMSG},
		{"\v", "", "", -EBADMSG},
		{"", "", "\f", -EBADMSG},
	};
	CLEANUP(jwe_done) struct jwe jwe = seal("x");
	char *compact = NULL, text[1024];
	int head;

	(void)state;
	assert_int_equal(jwe_to_compact(&jwe, &compact), 0);
	head = (int)strcspn(compact, ".");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(text, sizeof(text), "%s%.*s%s%s%s", cases[i].before, head, compact,
			       cases[i].at_dot, compact + head, cases[i].behind);
		expect(text, open_compact(ref_str(text)), cases[i].want);
	}

	for (size_t n = 0; n < strlen(compact); n++)
		expect_refused("truncated",
			       open_compact((struct ref){(const uint8_t *)compact, n}));
	/* without its encrypted key, initialization vector, ciphertext or tag there are four parts */
	(void)snprintf(text, sizeof(text), "%.*s%s", head, compact, compact + head + 1);
	assert_int_equal(open_compact(ref_str(text)), -EBADMSG);
	free(compact);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_refused), cmocka_unit_test(test_key_wrapping),
		cmocka_unit_test(test_too_big),        cmocka_unit_test(test_members_refused),
		cmocka_unit_test(test_compact_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
