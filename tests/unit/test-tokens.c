/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of tokens and configurations without a binding; with SoftHSM. */
#include "pkcs11/pkcs11.h"

#include "pkcs11/uri.h"
#include "tests/unit/softhsm.h"

static struct softhsm hsm;

static void test_list(void **state)
{
	CLEANUP_JSON json_t *tokens = NULL;
	const json_t *token;
	unsigned found = 0;
	size_t i;

	(void)state;
	assert_int_equal(pkcs11_tokens(&tokens), 0);
	json_array_foreach(tokens, i, token) {
		CLEANUP(uri_done) struct uri uri = {0};

		assert_int_equal(uri_read(js_str(token, "uri"), NULL, &uri), 0);
		assert_string_equal(js_str(token, "token"), uri.token);
		if (strcmp(uri.token, "one") == 0 || strcmp(uri.token, "two") == 0) {
			found++;
			assert_string_equal(js_str(token, "manufacturer"), "SoftHSM project");
			assert_int_equal(strlen(uri.serial), 16);
		}
	}
	assert_int_equal(found, 2);
}

static void test_config(void **state)
{
	static const struct {
		const char *config;
		bool asks, holds;
		const char *shown;
	} cases[] = {
		{"{}", true, false, NULL},
		{"{\"uri\":\"pkcs11:token=t\"}", true, false, "pkcs11:token=t"},
		{"{\"uri\":\"pkcs11:?pin-value=1\"}", false, true, "pkcs11:?pin-value="},
		{"{\"uri\":\"pkcs11:pin-value=1;token=t\"}", false, true,
		 "pkcs11:pin-value=;token=t"},
		{"{\"uri\":\"pkcs11:?pin-source=/p\"}", false, false, "pkcs11:?pin-source=/p"},
		{"{\"uri\":\"nonsense\"}", true, false, "nonsense"},
		{"{\"uri\":7}", true, false, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *config = json_of(cases[i].config);

		expect(cases[i].config, pkcs11_asks_pin(config), cases[i].asks);
		expect(cases[i].config, pkcs11_holds_pin(config), cases[i].holds);
		expect(cases[i].config, pkcs11_conceal(config), 0);
		if (cases[i].shown)
			assert_string_equal(js_str(config, "uri"), cases[i].shown);
	}
}

static void test_check(void **state)
{
	struct lines lines;

	(void)state;
	assert_int_equal(pkcs11_check_uri("pkcs11:token=t", lines_begin(&lines)), 0);
	assert_told("well", &lines, NULL);
	assert_int_equal(pkcs11_check_uri("token=t", lines_begin(&lines)), -EBADMSG);
	assert_told("no URI", &lines, "begins with \"pkcs11:\"");
	assert_int_equal(pkcs11_check_uri("pkcs11:?pin-source=p", lines_begin(&lines)),
			 -EOPNOTSUPP);
	assert_told("relative", &lines, "absolute paths");
	assert_int_equal(pkcs11_check_uri("pkcs11:serial=12345678901234567", lines_begin(&lines)),
			 -E2BIG);
	assert_told("too long", &lines, "\"serial\"");
}

static void test_wants_typed(void **state)
{
	/* provokes: pkcs11_wants_typed -ENODEV -EKEYREJECTED */
	static const struct {
		const char *path, *query;
		int result;
		bool typed;
		const char *words;
	} cases[] = {
		{"token=one", "", 0, true, NULL},
		{"token=one", "&pin-value=1", 0, false, NULL},
		{"token=none", "", -ENODEV, false, "no token is here"},
		{"", "", -EKEYREJECTED, false, "2 tokens are what the URI says"},
		{"library-version=1", "", -EOPNOTSUPP, false, "library-version"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *config =
			json_pack("{s:s}", "uri", softhsm_uri(&hsm, cases[i].path, cases[i].query));
		struct lines lines;
		bool typed = false;

		expect(cases[i].path, pkcs11_wants_typed(config, lines_begin(&lines), &typed),
		       cases[i].result);
		expect(cases[i].path, typed, cases[i].typed);
		assert_told(cases[i].path, &lines, cases[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_wants_typed),
	};

	softhsm_start(&hsm);
	softhsm_token("one");
	softhsm_token("two");
	return cmocka_run_group_tests(tests, NULL, softhsm_group_end);
}
