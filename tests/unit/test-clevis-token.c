/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clevis's tokens as text: what they become, and what is refused. */
#include "enroll/clevis-token.h"

#include "tests/unit/local.h"

static int any_header(const struct pin *const *table, const json_t *hdr, const struct log *log)
{
	(void)table;
	(void)hdr;
	(void)log;
	return 0;
}

/* As the pin of policies is called. */
static const struct pin pin_policy = {.name = "sss", .check = any_header};

const struct pin *const pins[] = {&pin_local, &pin_policy, NULL};

/* What Clevis would have written for the local pin, with one keyslot. */
static json_t *clevis_token(void)
{
	char *text = local_token("{}", 0, "secret");
	json_t *json = json_of(text);

	free(text);
	assert_int_equal(json_object_set_new(json, "type", json_string("clevis")), 0);
	assert_int_equal(json_object_set_new(json, "keyslots", json_pack("[s]", "5")), 0);
	(void)json_object_del(json, "cotter");
	return json;
}

/* A header, as it stands in a JWE that nobody opens, flattened. */
static json_t *jwe_of(const char *header)
{
	json_t *jwe = json_pack("{s:o, s:s, s:s, s:s}", "protected", js_from_b64(ref_str(header)),
				"iv", "AAAAAAAAAAAAAAAA", "ciphertext", "AAAA", "tag",
				"AAAAAAAAAAAAAAAAAAAAAA");

	assert_non_null(jwe);
	return jwe;
}

#define HEADER(clevis) "{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"clevis\":" clevis "}"

/* The same compact, as a share. */
static char *share_of(const char *header)
{
	CLEANUP_JSON json_t *jwe = jwe_of(header);
	char *text;

	assert_true(asprintf(&text, "%s..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
			     js_str(jwe, "protected")) > 0);
	return text;
}

static char *policy_of(const char *share)
{
	char *text;

	assert_true(asprintf(&text, HEADER("{\"pin\":\"sss\",\"sss\":{\"t\":1,\"jwe\":[\"%s\"]}}"),
			     share) > 0);
	return text;
}

static int convert(const json_t *json, const char *label, struct lines *lines, char **ret)
{
	char *text = NULL;
	int r;

	assert_int_equal(js_dump(json, &text), 0);
	r = clevis_token_convert(text, label, lines_begin(lines), ret);
	free(text);
	return r;
}

static void test_converts(void **state)
{
	static const char *const labels[] = {NULL, "rack 1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		CLEANUP_JSON json_t *before = clevis_token(), *after = NULL;
		struct token token = {0};
		struct lines lines;
		char *text = NULL;

		assert_int_equal(convert(before, labels[i], &lines, &text), 0);
		after = json_of(text);
		assert_string_equal(js_str(after, "type"), "cotter-local");
		assert_true(
			json_equal(json_object_get(before, "jwe"), json_object_get(after, "jwe")));
		assert_int_equal(token_parse(ref_str(text), NULL, &token), 0);
		assert_int_equal(token.n_keyslots, 1);
		assert_int_equal(token.keyslots[0], 5);
		if (labels[i])
			assert_string_equal(token.label, labels[i]);
		else
			assert_null(token.label);
		token_done(&token);
		free(text);
	}
}

static void refuses(const json_t *json, int err, const char *words)
{
	char *text = (char *)(uintptr_t)words;
	struct lines lines;

	assert_int_equal(convert(json, NULL, &lines, &text), err);
	assert_ptr_equal(text, words);
	assert_told(words, &lines, words);
}

static void refuses_header(const char *header, int err, const char *words)
{
	CLEANUP_JSON json_t *json = clevis_token();

	assert_int_equal(json_object_set_new(json, "jwe", jwe_of(header)), 0);
	refuses(json, err, words);
}

static void test_foreign(void **state)
{
	char *share = share_of(HEADER("{\"pin\":\"card\",\"card\":{}}"));
	char *policy = policy_of(share), *inner = share_of(policy), *outer = policy_of(inner);

	(void)state;
	refuses_header(HEADER("{\"pin\":\"card\",\"card\":{}}"), -ENOPKG, "has the pin \"card\"");
	refuses_header(policy, -ENOPKG, "has the pin \"card\"");
	refuses_header(outer, -ENOPKG, "has the pin \"card\"");
	refuses_header("{\"alg\":\"RSA-OAEP\",\"enc\":\"A256GCM\",\"clevis\":{\"pin\":\"card\"}}",
		       -ENOPKG, "its JWE ");
	free(share);
	free(policy);
	free(inner);
	free(outer);
}

static void test_malformed(void **state)
{
	CLEANUP_JSON json_t *json = clevis_token();
	struct lines lines;
	char *text = NULL;

	(void)state;
	refuses_header(HEADER("{}"), -EBADMSG, "names no pin");
	assert_int_equal(clevis_token_convert("{", NULL, lines_begin(&lines), &text), -EBADMSG);
	assert_told("no JSON", &lines, "is not JSON");
	assert_int_equal(json_object_set_new(json, "keyslots", json_integer(1)), 0);
	refuses(json, -EBADMSG, "keyslots");
	(void)json_object_del(json, "jwe");
	refuses(json, -EBADMSG, "its JWE ");
}

static void test_interrupted(void **state)
{
	CLEANUP_JSON json_t *json = clevis_token();

	(void)state;
	assert_int_equal(json_object_set_new(json, "cotter", json_pack("{s:i}", "place", 1)), 0);
	refuses(json, -EPERM, "was interrupted");
}

static void test_compact(void **state)
{
	static const char *const good[] = {"a.b.c.d.e", " a.b.c.d.e\n", "\r\na.b.c.d.e\t"};
	static const char *const bad[] = {
		"",           " ",         "a",           "a.b.c.d", "a.b.c.d.", "a.b.c.d.e.f",
		"a.b.c.d.e.", "a.b.c.d.+", "a b.c.d.e.f",
	};
	CLEANUP_JSON json_t *wanted = json_of(
		"{\"type\":\"clevis\",\"keyslots\":[\"7\"],\"jwe\":{\"protected\":\"a\","
		"\"encrypted_key\":\"b\",\"iv\":\"c\",\"ciphertext\":\"d\",\"tag\":\"e\"}}");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CLEANUP_JSON json_t *json = NULL;

		assert_int_equal(clevis_token_from_compact(ref_str(good[i]), 7, &json), 0);
		assert_true(json_equal(json, wanted));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *json = wanted;

		if (clevis_token_from_compact(ref_str(bad[i]), 7, &json) != -EBADMSG)
			fail_msg("taken: \"%s\"", bad[i]);
		assert_ptr_equal(json, wanted);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_converts),  cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_malformed), cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_compact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
