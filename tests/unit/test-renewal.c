/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a renewal is to make of a token: by what its survey found out, by what is given, and for a policy all of it. */
#include "enroll/renewal.h"

#include "crypto/jwk.h"
#include "enroll/tree.h"
#include "tests/unit/lines.h"

#include <errno.h>

#define THUMBPRINT "0aK-9_cCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA"
#define URL        "http://a"

/* A key set with one key to sign and one to exchange, and the latter's thumbprint. */
struct keys {
	json_t *jwks;
	char kid[JWK_THUMBPRINT_MAX + 1], signer[JWK_THUMBPRINT_MAX + 1];
};

static struct keys held, new;

static json_t *make_key(const char *alg, const char *op, char thumbprint[JWK_THUMBPRINT_MAX + 1])
{
	CLEANUP(jwk_done) struct jwk key = {0};
	CLEANUP_JSON json_t *ours =
		json_of("{\"kty\":\"EC\",\"crv\":\"P-256\","
			"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
			"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}");
	const struct curve *curve;
	json_t *json;

	assert_int_equal(jwk_from_json(ours, &key), 0);
	curve = key.curve;
	jwk_done(&key);
	assert_int_equal(jwk_generate(curve, &key), 0);
	assert_int_equal(jwk_thumbprint(&key, "S256", thumbprint), 0);
	json = jwk_to_json(&key);
	assert_int_equal(json_object_set_new(json, "alg", json_string(alg)), 0);
	assert_int_equal(json_object_set_new(json, "key_ops", json_pack("[s]", op)), 0);
	return json;
}

static int make_keys(void **state)
{
	struct keys *both[] = {&held, &new};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++)
		both[i]->jwks =
			json_pack("{s:[o,o]}", "keys", make_key("ES256", "verify", both[i]->signer),
				  make_key("ECMR", "deriveKey", both[i]->kid));
	return 0;
}

static int drop_keys(void **state)
{
	(void)state;
	json_decref(held.jwks);
	json_decref(new.jwks);
	return 0;
}

static json_t *leaf_config(const char *url)
{
	return json_pack("{s:s, s:O, s:s}", "url", url, "keys", held.jwks, "kid", held.kid);
}

static void seal(const char *pin, const json_t *config, struct token *ret)
{
	static const uint8_t secret[] = "secret";
	struct cot cot = {.pins = pins, .deadline_us = now_us() + USEC_PER_SEC};

	assert_int_equal(
		pin_seal(&cot, pin, config, (struct ref){secret, sizeof(secret)}, &ret->jwe), 0);
	ret->pin = pin_find(pins, ret->jwe.hdr);
}

/* A leaf as a recovery leaves it. */
static void surveyed(struct job *job, const char *url, enum survey_state survey)
{
	bool trusted = survey == SURVEY_CURRENT || survey == SURVEY_CHANGED;
	const struct keys *keys = survey == SURVEY_CHANGED ? &new : &held;

	*job = (struct job){.pin = pin_by_name(pins, "tang")};
	(void)snprintf(job->where, sizeof(job->where), "%s", url);
	job->survey = calloc(1, sizeof(*job->survey));
	assert_non_null(job->survey);
	job->survey->state = survey;
	job->survey->keys = json_incref(keys->jwks);
	(void)snprintf(job->survey->kid, sizeof(job->survey->kid), "%s", keys->kid);
	if (survey != SURVEY_CURRENT)
		(void)snprintf(job->survey->why, sizeof(job->survey->why), "%s",
			       trusted ? "other keys" : "no trust");
}

static struct renewal plan(const struct token *token, const struct job *job,
			   const struct options *options, struct renewal_wishes *wishes)
{
	struct renewal renewal = {0};

	*wishes = (struct renewal_wishes){0};
	assert_int_equal(renewal_plan(token, job, options, &renewal, wishes), 0);
	return renewal;
}

static void test_leaf(void **state)
{
	static const struct {
		const char *name;
		enum survey_state survey;
		const char *url, *thumbprint, *saved; /* given */
		int error;
		bool due;
		const char *member, *leaf; /* of the configuration; the leaf's state */
	} cases[] = {
		{"current", SURVEY_CURRENT, NULL, NULL, NULL, 0, false, "keys", "current"},
		{"changed", SURVEY_CHANGED, NULL, NULL, NULL, 0, true, "keys", "changed"},
		{"away", SURVEY_UNREACHABLE, NULL, NULL, NULL, 0, false, "keys", "unreachable"},
		{"untrusted", SURVEY_UNTRUSTED, NULL, NULL, NULL, -EKEYREJECTED, false, NULL,
		 "untrusted"},
		{"another's thumbprint", SURVEY_UNTRUSTED, "http://b", THUMBPRINT, NULL,
		 -EKEYREJECTED, false, NULL, "untrusted"},
		{"its thumbprint", SURVEY_UNTRUSTED, "a/", THUMBPRINT, NULL, 0, true, "thp",
		 "untrusted"},
		{"the only one's", SURVEY_UNTRUSTED, NULL, THUMBPRINT, NULL, 0, true, "thp",
		 "untrusted"},
		{"saved", SURVEY_UNTRUSTED, NULL, NULL, "file", 0, true, "adv", "untrusted"},
		{"saved, away", SURVEY_UNREACHABLE, URL, NULL, "file", 0, true, "adv",
		 "unreachable"},
		{"to be asked for", SURVEY_UNTRUSTED, URL, NULL, NULL, 0, true, "url", "untrusted"},
		{"changed, and given", SURVEY_CHANGED, URL, THUMBPRINT, NULL, 0, true, "thp",
		 "changed"},
		{"current, but not that", SURVEY_CURRENT, URL, THUMBPRINT, NULL, -EKEYREJECTED,
		 false, NULL, "current"},
		{"away, thumbprint given", SURVEY_UNREACHABLE, URL, THUMBPRINT, NULL, 0, false,
		 "keys", "unreachable"},
	};
	CLEANUP_JSON json_t *config = leaf_config(URL);
	CLEANUP(token_done) struct token token = {0};

	(void)state;
	seal("tang", config, &token);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct leaf_wish wish = {"tang",
					 {cases[i].url, cases[i].thumbprint, cases[i].saved}};
		struct options options = {.wishes = &wish};
		CLEANUP(renewal_done) struct renewal renewal = {0};
		CLEANUP(job_done) struct job job = {0};
		struct renewal_wishes wishes;
		bool given = cases[i].url || cases[i].thumbprint || cases[i].saved;

		options.n_wishes = given;
		surveyed(&job, URL, cases[i].survey);
		renewal = plan(&token, &job, &options, &wishes);
		expect(cases[i].name, renewal.error, cases[i].error);
		expect(cases[i].name, renewal.due, cases[i].due);
		expect(cases[i].name, (int)json_array_size(renewal.leaves), 1);
		assert_string_equal(js_str(json_array_get(renewal.leaves, 0), "state"),
				    cases[i].leaf);
		expect(cases[i].name, (int)wishes.used,
		       given && (!cases[i].url || cases[i].url[0] == 'a' ||
				 strcmp(cases[i].url, URL) == 0));
		expect(cases[i].name, !renewal.config, !cases[i].member);
		if (cases[i].member) {
			assert_string_equal(js_str(renewal.config, "url"), URL);
			if (!json_object_get(renewal.config, cases[i].member))
				fail_msg("%s: there is no %s", cases[i].name, cases[i].member);
		}
	}
}

/* The keys of the server as it is, or those held. */
static void test_keys(void **state)
{
	CLEANUP_JSON json_t *config = leaf_config(URL);
	CLEANUP(token_done) struct token token = {0};

	(void)state;
	seal("tang", config, &token);
	for (int changed = 0; changed <= 1; changed++) {
		const struct options options = {0};
		CLEANUP(renewal_done) struct renewal renewal = {0};
		CLEANUP(job_done) struct job job = {0};
		struct renewal_wishes wishes;

		surveyed(&job, URL, changed ? SURVEY_CHANGED : SURVEY_UNREACHABLE);
		renewal = plan(&token, &job, &options, &wishes);
		assert_string_equal(js_str(renewal.config, "kid"), changed ? new.kid : held.kid);
		assert_true(json_equal(json_object_get(renewal.config, "keys"),
				       changed ? new.jwks : held.jwks));
	}
}

/* 2 of (a, 1 of (b, c)) */
static void make_tree(struct token *token, struct job *root)
{
	CLEANUP_JSON json_t *config = json_pack(
		"{s:i, s:{s:o, s:{s:i, s:{s:[o, o]}}}}", "t", 2, "pins", "tang", leaf_config(URL),
		"sss", "t", 1, "pins", "tang", leaf_config("http://b"), leaf_config("http://c"));
	struct job *inner;

	seal("sss", config, token);
	*root = (struct job){.pin = pin_by_name(pins, "sss"), .n_children = 2};
	root->children = calloc(2, sizeof(*root->children));
	assert_non_null(root->children);
	inner = &root->children[1];
	*inner = (struct job){.pin = root->pin, .n_children = 2};
	inner->children = calloc(2, sizeof(*inner->children));
	assert_non_null(inner->children);
	surveyed(&root->children[0], URL, SURVEY_CURRENT);
	surveyed(&inner->children[0], "http://b", SURVEY_CHANGED);
	surveyed(&inner->children[1], "http://c", SURVEY_UNREACHABLE);
}

static void test_tree(void **state)
{
	const struct options options = {0};
	CLEANUP(renewal_done) struct renewal renewal = {0};
	CLEANUP(token_done) struct token token = {0};
	CLEANUP(job_done) struct job job = {0};
	struct renewal_wishes wishes;
	const json_t *inner;

	(void)state;
	make_tree(&token, &job);
	renewal = plan(&token, &job, &options, &wishes);
	assert_int_equal(renewal.error, 0);
	assert_true(renewal.due);
	assert_string_equal(renewal.pin, "sss");
	assert_int_equal(json_array_size(renewal.leaves), 3);
	assert_int_equal(sss_threshold(renewal.config), 2);
	inner = json_object_get(json_object_get(renewal.config, "pins"), "sss");
	assert_int_equal(sss_threshold(inner), 1);
	inner = json_object_get(json_object_get(inner, "pins"), "tang");
	assert_string_equal(js_str(json_array_get(inner, 0), "kid"), new.kid);
	assert_string_equal(js_str(json_array_get(inner, 1), "kid"), held.kid);
}

/* Distrust of one says more than what is away of another, and a part that cannot be read would be lost. */
static void test_tree_errors(void **state)
{
	struct leaf_wish wish = {"tang", {NULL, THUMBPRINT}};
	const struct options none = {0}, unnamed = {.wishes = &wish, .n_wishes = 1};
	CLEANUP(token_done) struct token token = {0};
	CLEANUP(job_done) struct job job = {0};
	struct renewal_wishes wishes;
	struct renewal renewal;

	(void)state;
	make_tree(&token, &job);
	job.children[1].children[0].survey->state = SURVEY_UNTRUSTED;
	renewal = plan(&token, &job, &none, &wishes);
	assert_int_equal(renewal.error, -EKEYREJECTED);
	assert_non_null(strstr(renewal.why, "no trust") ? "" : strstr(renewal.why, "other keys"));
	assert_null(renewal.config);
	renewal_done(&renewal);

	renewal = plan(&token, &job, &unnamed, &wishes);
	assert_int_equal(renewal.error, -EINVAL);
	assert_non_null(strstr(renewal.why, "there are several servers"));
	renewal_done(&renewal);

	job.children[1].children[0].survey->state = SURVEY_CHANGED;
	job.children[0].pin = NULL;
	renewal = plan(&token, &job, &none, &wishes);
	assert_int_equal(renewal.error, -EBADMSG);
	assert_non_null(strstr(renewal.why, "would be lost"));
	assert_true(renewal.due);
	assert_null(renewal.config);
	renewal_done(&renewal);

	job.n_children = 1;
	renewal = plan(&token, &job, &none, &wishes);
	assert_int_equal(renewal.error, -EBADMSG);
	renewal_done(&renewal);
	job.n_children = 2;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaf),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_tree_errors),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
