/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JWE in a token, its recovery within the deadline, and every way of altering it. */
#include "tests/unit/local.h"

#define SECRET "the secret of this test"

static const struct pin pin_other = {
	.name = "other",
	.check = local_check,
	.encrypt = local_encrypt,
	.decrypt = local_decrypt,
	.describe = local_describe,
	.release = local_release,
};

const struct pin *const pins[] = {&pin_local, &pin_other, NULL};

static int parse_json(const json_t *json, struct lines *lines, struct token *ret)
{
	char *text = NULL;
	int r;

	assert_int_equal(js_dump(json, &text), 0);
	r = token_parse(ref_str(text), lines_begin(lines), ret);
	free(text);
	return r;
}

static json_t *token_with(const char *config)
{
	char *text = local_token(config, 1, SECRET);
	json_t *json = json_of(text);

	free(text);
	return json;
}

static void expect_opens(const char *what, const struct token *token)
{
	struct lines lines;
	CLEANUP(cot_done) struct cot cot = {.pins = pins, .log = lines_begin(&lines)};
	CLEANUP(buf_done) struct buf secret = {0};

	expect(what, token_recover(&cot, token, 0, &secret), 0);
	assert_ref_is(buf_ref(&secret), SECRET);
	assert_told(what, &lines, NULL);
}

static void test_members(void **state)
{
	static const struct {
		const char *path, *value;
		int want;
	} cases[] = {
		{"jwe.encrypted_key", NULL, 0},
		{"jwe.encrypted_key", "\"AAAA\"", -EBADMSG},
		{"jwe.encrypted_key", "1", -EBADMSG},
		{"jwe", NULL, -EBADMSG},
		{"jwe", "{}", -EBADMSG},
		{"jwe", "[]", -EBADMSG},
		{"jwe", "null", -EBADMSG},
		{"jwe", "1", -EBADMSG},
		{"jwe", "\"\"", -EBADMSG},
		{"jwe", "\"a.b.c\"", -EBADMSG},
		{"jwe.protected", NULL, -EBADMSG},
		{"jwe.protected", "{}", -EBADMSG},
		{"jwe.protected", "\"\"", -EBADMSG},
		{"jwe.protected", "\"e30\"", -EBADMSG},
		{"jwe.protected", "\"W10\"", -EBADMSG},
		{"jwe.iv", NULL, -EBADMSG},
		{"jwe.iv", "1", -EBADMSG},
		{"jwe.iv", "\"\"", -EBADMSG},
		{"jwe.iv", "\"AAAAAAAAAAAAAAA\"", -EBADMSG},
		{"jwe.iv", "\"AAAAAAAAAAAAAAAAAA\"", -EBADMSG},
		{"jwe.iv", "\"AAAAAAAAAAAAAAA+\"", -EBADMSG},
		{"jwe.ciphertext", NULL, -EBADMSG},
		{"jwe.ciphertext", "[]", -EBADMSG},
		{"jwe.ciphertext", "\"x\"", -EBADMSG},
		{"jwe.tag", NULL, -EBADMSG},
		{"jwe.tag", "false", -EBADMSG},
		{"jwe.tag", "\"\"", -EBADMSG},
		{"jwe.tag", "\"AAAAAAAAAAAAAAAAAAAA\"", -EBADMSG},
		{"jwe.tag", "\"AAAAAAAAAAAAAAAAAAAAAAAA\"", -EBADMSG},
		{"jwe.unprotected", "{}", -EOPNOTSUPP},
		{"jwe.header", "{}", -EOPNOTSUPP},
		{"jwe.recipients", "[]", -EOPNOTSUPP},
		{"jwe.aad", "\"\"", -EOPNOTSUPP},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *json = token_with("{}");
		CLEANUP(token_done) struct token token = {0};
		struct lines lines;
		char what[128];

		(void)snprintf(what, sizeof(what), "%s: %s", cases[i].path,
			       cases[i].value ? cases[i].value : "missing");
		change(json, cases[i].path, cases[i].value);
		expect(what, parse_json(json, &lines, &token), cases[i].want);
		assert_told(what, &lines, cases[i].want < 0 ? "JWE" : NULL);
		if (cases[i].want == 0)
			expect_opens(what, &token);
	}
}

/* A token whose protected header is another one. */
static json_t *token_with_header(const json_t *hdr)
{
	json_t *json = token_with("{}");
	char *text = NULL;

	assert_int_equal(js_dump(hdr, &text), 0);
	assert_int_equal(json_object_set_new(json_object_get(json, "jwe"), "protected",
					     js_from_b64(ref_str(text))),
			 0);
	free(text);
	return json;
}

static void test_headers(void **state)
{
	static const struct {
		const char *path, *value;
		int want;
		const char *words;
	} cases[] = {
		{"alg", "\"ECDH-ES\"", 0, NULL}, /* its pin does not mind */
		{"alg", NULL, -EBADMSG, "JWE"},
		{"alg", "1", -EBADMSG, "JWE"},
		{"alg", "\"RSA-OAEP\"", -EOPNOTSUPP, "not supported"},
		{"alg", "\"PBES2-HS256+A128KW\"", -EOPNOTSUPP, "not supported"},
		{"alg", "\"A256KW\"", -EOPNOTSUPP, "not supported"},
		{"alg", "\"ECDH-ES+A256KW\"", -EOPNOTSUPP, "not supported"},
		{"alg", "\"none\"", -EOPNOTSUPP, "not supported"},
		{"enc", NULL, -EBADMSG, "JWE"},
		{"enc", "\"A128GCM\"", -EOPNOTSUPP, "not supported"},
		{"enc", "\"A256CBC-HS512\"", -EOPNOTSUPP, "not supported"},
		{"zip", "\"DEF\"", -EOPNOTSUPP, "not supported"},
		{"crit", "[\"exp\"]", -EOPNOTSUPP, "not supported"},
		{"clevis", NULL, -EBADMSG, "pin"},
		{"clevis", "\"local\"", -EBADMSG, "pin"},
		{"clevis.pin", NULL, -EBADMSG, "pin"},
		{"clevis.pin", "[\"local\"]", -EBADMSG, "pin"},
		{"clevis.pin", "\"tpm2\"", -EOPNOTSUPP, "tpm2"},
		{"clevis.pin", "\"other\"", -EBADMSG, "other"}, /* not what the type says */
		{"clevis.local", NULL, -EBADMSG, "local"},
		{"clevis.local", "1", -EBADMSG, "local"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *hdr = json_of("{\"alg\":\"dir\",\"enc\":\"A256GCM\","
						   "\"clevis\":{\"pin\":\"local\",\"local\":{}}}");
		CLEANUP_JSON json_t *json = NULL;
		CLEANUP(token_done) struct token token = {0};
		struct lines lines;
		char what[128];

		(void)snprintf(what, sizeof(what), "%s: %s", cases[i].path,
			       cases[i].value ? cases[i].value : "missing");
		change(hdr, cases[i].path, cases[i].value);
		json = token_with_header(hdr);
		expect(what, parse_json(json, &lines, &token), cases[i].want);
		assert_told(what, &lines, cases[i].words);
	}
}

/* The same JWE as one string, which is what `clevis encrypt` prints. */
static json_t *compact_token(void)
{
	json_t *json = token_with("{}"), *jwe = json_object_get(json, "jwe");
	json_t *compact = json_sprintf("%s..%s.%s.%s", js_str(jwe, "protected"), js_str(jwe, "iv"),
				       js_str(jwe, "ciphertext"), js_str(jwe, "tag"));

	assert_int_equal(json_object_set_new(json, "jwe", compact), 0);
	return json;
}

static void test_compact(void **state)
{
	CLEANUP_JSON json_t *json = compact_token();
	CLEANUP(token_done) struct token token = {0};
	struct lines lines;

	(void)state;
	expect("compact", parse_json(json, &lines, &token), 0);
	expect_opens("compact", &token);
}

/* What an image builder can write: public members alone. */
static void test_least(void **state)
{
	CLEANUP_JSON json_t *json = token_with("{}");
	CLEANUP_JSON json_t *least = json_pack("{s:s, s:[], s:O}", "type", "cotter-local",
					       "keyslots", "jwe", json_object_get(json, "jwe"));
	CLEANUP(token_done) struct token token = {0};
	struct lines lines;

	(void)state;
	expect("least", parse_json(least, &lines, &token), 0);
	assert_int_equal(token.deadline, TOKEN_DEADLINE_DEFAULT);
	assert_int_equal(token.n_keyslots, 0);
	assert_null(token.label);
	expect_opens("least", &token);
}

/* Whether this text is a token that gives up a secret, any secret. */
static bool yields_secret(const char *text)
{
	struct lines lines;
	CLEANUP(cot_done) struct cot cot = {.pins = pins, .log = lines_begin(&lines)};
	CLEANUP(token_done) struct token token = {0};
	CLEANUP(buf_done) struct buf secret = {0};

	if (token_parse(ref_str(text), &lines.log, &token) == 0 &&
	    token_recover(&cot, &token, 0, &secret) == 0)
		return true;
	assert_told(text, &lines, "");
	return false;
}

/* Each bit of `text` between two places; NUL bytes are left out. */
static void alter_all(char *text, const char *from, const char *to)
{
	for (char *byte = text + (from - text); byte < to; byte++) {
		for (int bit = 0; bit < 8; bit++) {
			char was = *byte;

			*byte = (char)(was ^ (1 << bit));
			if (*byte && yields_secret(text))
				fail_msg("altered, and yet opened: %s", text);
			*byte = was;
		}
	}
	assert_true(yields_secret(text));
}

static void test_altered(void **state)
{
	static const char *const members[] = {"protected", "iv", "ciphertext", "tag"};
	CLEANUP_JSON json_t *json = compact_token();
	char *text = NULL;

	(void)state;
	assert_int_equal(js_dump(json, &text), 0);
	alter_all(text, strstr(text, "\"jwe\":"), strstr(text, ",\"keyslots\""));
	free(text);

	/* An empty encrypted_key may as well be missing: its name and quotes are left out. */
	text = local_token("{}", 1, SECRET);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		char name[32], *at;

		(void)snprintf(name, sizeof(name), "\"%s\":\"", members[i]);
		at = strstr(text, name);
		assert_non_null(at);
		alter_all(text, at, strchr(at + strlen(name), '"') + 1);
	}
	free(text);
}

static void test_failures(void **state)
{
	static const int errors[] = {EBADMSG, EPROTO, EKEYREJECTED, ENETUNREACH, ETIMEDOUT, ENODEV};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		struct lines lines;
		CLEANUP(cot_done) struct cot cot = {.pins = pins, .log = lines_begin(&lines)};
		CLEANUP(token_done) struct token token = {0};
		CLEANUP_JSON json_t *json = NULL;
		struct buf secret;
		char config[64];

		memset(&secret, UNTOUCHED, sizeof(secret));
		(void)snprintf(config, sizeof(config), "{\"result\":%d,\"words\":\"no luck\"}",
			       errors[i]);
		json = token_with(config);
		assert_int_equal(parse_json(json, &lines, &token), 0);
		expect(config, token_recover(&cot, &token, 0, &secret), -errors[i]);
		assert_told(config, &lines, "local: no luck");
		assert_untouched(config, &secret, sizeof(secret));
	}
}

/* The sooner of the token's deadline and the caller's. */
static void test_deadline(void **state)
{
	static const struct {
		unsigned deadline;
		uint64_t max_us, want_us;
	} cases[] = {
		{15, 0, 15 * USEC_PER_SEC},
		{300, 0, 300 * USEC_PER_SEC},
		{15, 3 * USEC_PER_SEC, 3 * USEC_PER_SEC},
		{2, 3 * USEC_PER_SEC, 2 * USEC_PER_SEC},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lines lines;
		CLEANUP(cot_done) struct cot cot = {.pins = pins, .log = lines_begin(&lines)};
		CLEANUP(token_done) struct token token = {0};
		CLEANUP(buf_done) struct buf secret = {0};
		CLEANUP_JSON json_t *json = token_with("{}");
		uint64_t before, after;

		assert_int_equal(parse_json(json, &lines, &token), 0);
		token.deadline = cases[i].deadline;
		before = now_us();
		expect("deadline", token_recover(&cot, &token, cases[i].max_us, &secret), 0);
		after = now_us();
		assert_in_range(cot.deadline_us, before + cases[i].want_us,
				after + cases[i].want_us);
	}
}

static void test_late(void **state)
{
	struct lines lines;
	CLEANUP(cot_done) struct cot cot = {.pins = pins, .log = lines_begin(&lines)};
	CLEANUP(token_done) struct token token = {0};
	CLEANUP_JSON json_t *json = token_with("{\"pending\":true}");
	struct buf secret;
	uint64_t began;

	(void)state;
	assert_int_equal(parse_json(json, &lines, &token), 0);
	began = now_us();
	expect("late", token_recover(&cot, &token, 50 * USEC_PER_MSEC, &secret), -ETIMEDOUT);
	assert_told("late", &lines, "too late");
	assert_in_range(now_us() - began, 50 * USEC_PER_MSEC, 5 * USEC_PER_SEC);
}

static void test_describe(void **state)
{
	CLEANUP_JSON json_t *want = json_of("{\"label\":\"the disk\",\"deadline\":30,"
					    "\"place\":\"here\",\"key_names\":[\"one\",\"two\"]}");
	CLEANUP_JSON json_t *plain =
		json_of("{\"place\":\"here\",\"key_names\":[\"one\",\"two\"]}");
	CLEANUP_JSON json_t *json = token_with("{}");
	CLEANUP(token_done) struct token token = {0};
	CLEANUP_JSON json_t *facts = NULL;
	CLEANUP_JSON json_t *fewer = NULL;
	struct lines lines;

	(void)state;
	assert_int_equal(parse_json(json, &lines, &token), 0);
	assert_int_equal(token_describe(&token, &fewer), 0);
	assert_true(json_equal(fewer, plain));

	token.label = strdup("the disk");
	token.deadline = 30;
	assert_int_equal(token_describe(&token, &facts), 0);
	assert_true(json_equal(facts, want));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),  cmocka_unit_test(test_headers),
		cmocka_unit_test(test_compact),  cmocka_unit_test(test_least),
		cmocka_unit_test(test_altered),  cmocka_unit_test(test_failures),
		cmocka_unit_test(test_deadline), cmocka_unit_test(test_late),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
