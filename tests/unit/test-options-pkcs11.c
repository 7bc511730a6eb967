/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the options about cards become, and what is said of them; no token is needed. */
#include "enroll/options-pin.h"

#include "pkcs11/pkcs11.h"
#include "tests/unit/lines.h"

static const struct pin_options *const of = &pin_options_pkcs11;

static void test_read(void **state)
{
	static const struct {
		const char *uri, *config;
		bool typed;
	} cases[] = {
		{"auto", "{}", true},
		{"pkcs11:token=t", "{\"uri\":\"pkcs11:token=t\"}", true},
		{"pkcs11:?pin-value=1", "{\"uri\":\"pkcs11:?pin-value=1\"}", false},
		{"pkcs11:?pin-source=/a.pin", "{\"uri\":\"pkcs11:?pin-source=/a.pin\"}", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *want = json_of(cases[i].config), *config = NULL;
		struct lines lines;

		expect(cases[i].uri, of->read(&cases[i].uri, lines_begin(&lines), &config), 0);
		assert_told(cases[i].uri, &lines, NULL);
		assert_true(json_equal(config, want));
		expect(cases[i].uri, of->traits(config) == PIN_TRAIT_CARD_PIN, cases[i].typed);
		expect(cases[i].uri, pkcs11_asks_pin(config), cases[i].typed);
	}
}

static void test_refused(void **state)
{
	const char *none = "card", *other = "pkcs11:x=y", *latin = "pkcs11:token=\xff";
	struct lines lines;
	json_t *config = NULL;

	(void)state;
	assert_int_equal(of->read(&none, lines_begin(&lines), &config), -EINVAL);
	assert_told("none", &lines, "begins with \"pkcs11:\"");
	assert_int_equal(of->read(&other, lines_begin(&lines), &config), -EINVAL);
	assert_told("other", &lines, "\"x\" in a URI");
	assert_int_equal(of->read(&latin, lines_begin(&lines), &config), -EINVAL);
	assert_told("latin", &lines, "UTF-8");
	assert_null(config);
}

/* A PIN in a URI is in none of it. */
static void test_words(void **state)
{
	static const struct {
		const char *config, *words;
	} cases[] = {
		{"{}", "the card that is here with its PIN"},
		{"{\"uri\":\"pkcs11:id=%01\"}", "the card pkcs11:id=%01 with its PIN"},
		{"{\"uri\":\"pkcs11:id=%01?pin-value=1\"}", "the card pkcs11:id=%01"},
		{"{\"uri\":\"pkcs11:id=%01;pin-value=1\"}", "the card pkcs11:id=%01;pin-value="},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *config = json_of(cases[i].config), *facts = json_object();
		char words[PIN_WORDS_MAX];

		assert_int_equal(of->describe(config, facts), 0);
		of->words(facts, words);
		assert_string_equal(words, cases[i].words);
		assert_non_null(strstr(of->warning(facts),
				       strstr(words, "PIN") ? "type its PIN" : "card alone"));
	}
}

static void test_again(void **state)
{
	static const struct {
		const char *pkcs11, *config;
	} cases[] = {
		{"{\"uri\":\"pkcs11:\",\"mechanism\":\"RSA-PKCS-OAEP\",\"hash\":\"sha1\"}",
		 "{\"uri\":\"pkcs11:\"}"},
		{"{\"uri\":\"pkcs11:\",\"mechanism\":\"ECDH1-DERIVE\"}", "{\"uri\":\"pkcs11:\"}"},
		{"{\"uri\":\"pkcs11:\",\"mechanism\":\"RSA-PKCS\"}",
		 "{\"uri\":\"pkcs11:\",\"mechanism\":\"RSA-PKCS\"}"},
		{"{\"uri\":\"pkcs11:\"}", "{\"uri\":\"pkcs11:\",\"mechanism\":\"\"}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *hdr = json_of("{\"clevis\":{}}"), *want = NULL;
		const char *texts[PIN_OPTIONS_MAX] = {NULL};
		struct again again = {.hdr = hdr, .texts = texts};
		struct again_plan plan = {0};

		change(hdr, "clevis.pkcs11", cases[i].pkcs11);
		want = json_of(cases[i].config);
		assert_int_equal(of->again(&again, NULL, &plan), 0);
		assert_true(json_equal(plan.config, want));
		assert_false(plan.due);
		json_decref(plan.config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
