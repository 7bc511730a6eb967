/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies as people write them: what each becomes, what it is written as again, and what is wrong. */
#include "enroll/policy-text.h"

#include "tests/unit/lines.h"

#include <stdlib.h>

static struct lines lines;

static int parse(const char *text, const char **pin, json_t **config)
{
	return policy_text_parse(ref_str(text), lines_begin(&lines), pin, config);
}

/* And each configuration is written as `again`, which gives it once more. */
static void test_both_ways(void **state)
{
	static const struct {
		const char *text, *pin, *config, *again; /* NULL: as `text` */
	} cases[] = {
		{"tang(http://a)", "tang", "{\"url\":\"http://a\"}", NULL},
		{" tang ( http://a/b?c=d ) \n", "tang", "{\"url\":\"http://a/b?c=d\"}",
		 "tang(http://a/b?c=d)"},
		{"tang(url=a)", "tang", "{\"url\":\"a\"}", "tang(a)"},
		{"tang([::1]:80)", "tang", "{\"url\":\"[::1]:80\"}", NULL},
		{"tang(url=a=b)", "tang", "{\"url\":\"a=b\"}", NULL},
		{"tang(\"a=b\")", "tang", "{\"url\":\"a=b\"}", "tang(url=a=b)"},
		{"tang(a, thumbprint=x, advertisement=/f, ca=/c, pubkey=p)", "tang",
		 "{\"url\":\"a\",\"thp\":\"x\",\"adv\":\"/f\",\"ca\":\"/c\",\"pubkey\":\"p\"}",
		 "tang(a, thp=x, adv=/f, ca=/c, pubkey=p)"},
		{"tang(thp=x,a)", "tang", "{\"thp\":\"x\",\"url\":\"a\"}", "tang(a, thp=x)"},
		{"tang(\"a (b), \\\"c\\\" \\\\d\\n\", thp = \"x y\" )", "tang",
		 "{\"url\":\"a (b), \\\"c\\\" \\\\d\\n\",\"thp\":\"x y\"}",
		 "tang(\"a (b), \\\"c\\\" \\\\d\\n\", thp=x y)"},
		{"tang(a, thp=\" x\")", "tang", "{\"url\":\"a\",\"thp\":\" x\"}", NULL},
		{"tang(ö, ca=/ü)", "tang", "{\"url\":\"ö\",\"ca\":\"/ü\"}", NULL},
		{"tang(a, adv=\"{\\\"keys\\\":[]}\")", "tang",
		 "{\"url\":\"a\",\"adv\":{\"keys\":[]}}", NULL},

		{"tpm2", "tpm2", "{\"pcrs\":\"7\"}", "tpm2(pcrs=7)"},
		{"tpm2()", "tpm2", "{\"pcrs\":\"7\"}", "tpm2(pcrs=7)"},
		{"tpm2(pcrs=)", "tpm2", "{}", "tpm2(pcrs=none)"},
		{"tpm2(pcrs=\"\", pin=no)", "tpm2", "{\"pin\":false}", "tpm2(pcrs=none, pin=no)"},
		{"tpm2(pcrs=none)", "tpm2", "{}", NULL},
		{"tpm2(pcrs=7:sha384+11=ab, pin=yes)", "tpm2",
		 "{\"pcrs\":\"7:sha384+11=ab\",\"pin\":true}", NULL},
		{"tpm2(pcr_bank=sha256, pcr_ids=\"1,7\", hash=sha1, key=rsa)", "tpm2",
		 "{\"pcr_bank\":\"sha256\",\"pcr_ids\":\"1,7\",\"hash\":\"sha1\",\"key\":\"rsa\"}",
		 NULL},
		{"tpm2(with-pin=yes, public-key=/k, public-key-pcrs=11, signature=/s, "
		 "seal-key-handle=0x81000002, device=auto)",
		 "tpm2",
		 "{\"pcrs\":\"7\",\"pin\":true,\"pubkey\":\"/k\",\"pubkey_pcrs\":\"11\","
		 "\"signature\":\"/s\",\"parent\":\"0x81000002\",\"tcti\":\"auto\"}",
		 "tpm2(pcrs=7, pin=yes, pubkey=/k, pubkey_pcrs=11, signature=/s, "
		 "parent=0x81000002, tcti=auto)"},

		{"1 of (tang(a))", "sss", "{\"t\":1,\"pins\":{\"tang\":{\"url\":\"a\"}}}", NULL},
		{"2of(tang(a),tang(b))", "sss",
		 "{\"t\":2,\"pins\":{\"tang\":[{\"url\":\"a\"},{\"url\":\"b\"}]}}",
		 "2 of (tang(a), tang(b))"},
		{"\t2\nof\n(\n tang(a)\n,\n tang(b)\n,\r\n tang(c) )", "sss",
		 "{\"t\":2,\"pins\":{\"tang\":[{\"url\":\"a\"},{\"url\":\"b\"},{\"url\":\"c\"}]}}",
		 "2 of (tang(a), tang(b), tang(c))"},
		{"2 of (tpm2(pcrs=7), tang(http://a), 1 of (tang(http://b), tang(http://c)))",
		 "sss",
		 "{\"t\":2,\"pins\":{\"tpm2\":{\"pcrs\":\"7\"},\"tang\":{\"url\":\"http://a\"},"
		 "\"sss\":{\"t\":1,\"pins\":{\"tang\":[{\"url\":\"http://b\"},{\"url\":\"http://c\"}"
		 "]}}}}",
		 NULL},
		{"1 of (1 of (tang(a)), tang(b), 1 of (tang(c)), tang(d))", "sss",
		 "{\"t\":1,\"pins\":{\"sss\":[{\"t\":1,\"pins\":{\"tang\":{\"url\":\"a\"}}},{\"t\":1,"
		 "\"pins\":{\"tang\":{\"url\":\"c\"}}}],\"tang\":[{\"url\":\"b\"},{\"url\":\"d\"}]}}",
		 "1 of (1 of (tang(a)), 1 of (tang(c)), tang(b), tang(d))"},
		{"1 of (1 of (1 of (1 of (1 of (1 of (1 of (1 of (tpm2))))))))", "sss",
		 "{\"t\":1,\"pins\":{\"sss\":{\"t\":1,\"pins\":{\"sss\":{\"t\":1,\"pins\":{\"sss\":{"
		 "\"t\":1,\"pins\":{\"sss\":{\"t\":1,\"pins\":{\"sss\":{\"t\":1,\"pins\":{\"sss\":{"
		 "\"t\":1,\"pins\":{\"sss\":{\"t\":1,\"pins\":{\"tpm2\":{\"pcrs\":\"7\"}}}}}}}}}}}}}}}}}",
		 "1 of (1 of (1 of (1 of (1 of (1 of (1 of (1 of (tpm2(pcrs=7)))))))))"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *want = cases[i].again ? cases[i].again : cases[i].text, *pin,
			   *pin_again;
		CLEANUP_JSON json_t *config = NULL, *again = NULL,
				    *wanted = json_of(cases[i].config);
		char *text = NULL;

		expect(cases[i].text, parse(cases[i].text, &pin, &config), 0);
		assert_told(cases[i].text, &lines, NULL);
		assert_string_equal(pin, cases[i].pin);
		if (!json_equal(config, wanted))
			fail_msg("%s is another configuration", cases[i].text);
		expect(cases[i].text, tree_check(pin, config, &lines.log), 0);

		expect(cases[i].text, policy_text_format(pin, config, &text), 0);
		assert_string_equal(text, want);
		expect(text, parse(text, &pin_again, &again), 0);
		assert_string_equal(pin, pin_again);
		if (!json_equal(config, again))
			fail_msg("%s gives another configuration than %s", text, cases[i].text);
		free(text);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"",
		 "at character 1: a pin (tang, tpm2, pkcs11) or NUMBER of (...) is wanted, not the end"},
		{" \n", "in line 2, character 1: a pin"},
		{"(",
		 "at character 1: a pin (tang, tpm2, pkcs11) or NUMBER of (...) is wanted, not \"(\""},
		{"tong(a)", "at character 1: there is no pin \"tong\"; there are tang, tpm2"},
		{"Tang(a)", "there is no pin \"Tang\""},
		{"sss(tang(a))", "at character 1: a threshold is written as NUMBER of (...)"},
		{"tang", "at character 1: tang needs its url"},
		{"tang()", "at character 1: tang needs its url"},
		{"tang(thp=x)", "at character 1: tang needs its url"},
		{"tang(a",
		 "at character 7: a ) is missing behind what tang takes, where the end is"},
		{"tang(a, b)", "at character 9: url is given twice"},
		{"tang(a, thp=x, thumbprint=y)", "at character 16: thp is given twice"},
		{"tang(a,)", "at character 8: the value of url is missing"},
		{"tang(a, thp=)", "at character 9: the value of thp is missing"},
		{"tang(a, thp=\"\")", "the value of thp is missing"},
		{"tang(a, port=80)", "at character 9: tang has no \"port\""},
		{"tang(a, THP=x)", "tang has no \"THP\""},
		{"tang(a(b))", "at character 7: a value with ( in it is written in quotes"},
		{"tang(a\"b)", "at character 7: a value with \" in it is written in quotes"},
		{"tang(\"a", "at character 6: the quotes that open here are not closed"},
		{"tang(\"a\\", "at character 8: in quotes \\ stands before \", \\ or n alone"},
		{"tang(\"a\\tb\")", "at character 8: in quotes \\ stands before"},
		{"tang(\"a\"b)",
		 "at character 9: behind a value in quotes there is a , or ) missing"},
		{"tang(\xff)",
		 "at character 6: the value of url is not UTF-8 text or a JSON object"},
		{"tang(a, adv=\"{\")", "the value of adv is not UTF-8 text or a JSON object"},
		{"tang(a) tang(b)", "at character 9: the policy has ended, so \"t\" is too much"},
		{"tang(a))", "at character 8: the policy has ended, so \")\" is too much"},
		{"tang(ö\"", "at character 7: a value with \" in it"},
		{"tpm2(7)", "at character 6: what tpm2 takes is written as NAME=VALUE"},
		{"tpm2(pin=true)", "at character 6: the value of pin is not yes or no"},
		{"tpm2(pin=)", "the value of pin is missing"},
		{"2", "at character 2: behind a number comes of (...), as in 2 of (...)"},
		{"2 tang(a)", "at character 3: behind a number comes of (...)"},
		{"2 off (tang(a))", "at character 3: behind a number comes of (...)"},
		{"2 of tang(a)", "at character 3: behind a number comes of (...)"},
		{"2 of (",
		 "at character 7: a pin (tang, tpm2, pkcs11) or NUMBER of (...) is wanted"},
		{"2 of ()",
		 "at character 7: a pin (tang, tpm2, pkcs11) or NUMBER of (...) is wanted"},
		{"2 of (tang(a),)",
		 "at character 15: a pin (tang, tpm2, pkcs11) or NUMBER of (...)"},
		{"2 of (tang(a)", "at character 14: a , or ) is missing, where the end is"},
		{"2 of (tang(a) tang(b))", "at character 15: a , or ) is missing, where \"t\" is"},
		{"2 of (tang(a))",
		 "at character 1: the number here is 1 to 1, as many as there are"},
		{"0 of (tang(a))", "at character 1: the number here is 1 to 1"},
		{"1 of (tang(a), 3 of (tang(b), tang(c)))",
		 "at character 16: the number here is 1 to 2"},
		{"18446744073709551617 of (tang(a))", "at character 1: the number here is 1 to 1"},
		{"1 of (1 of (1 of (1 of (1 of (1 of (1 of (1 of (1 of (tang(a))))))))))",
		 "at character 49: thresholds are nested more than 8 deep"},
		{"2 of (\n tang(a),\n\ttang(b, x=y))",
		 "in line 3, character 10: tang has no \"x\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *config = (json_t *)&lines;
		const char *pin = "untouched";

		expect(cases[i].text, parse(cases[i].text, &pin, &config), -EINVAL);
		assert_told(cases[i].text, &lines, cases[i].words);
		assert_string_equal(pin, "untouched");
		assert_ptr_equal(config, &lines);
	}
}

static void test_limits(void **state)
{
	static char text[POLICY_TEXT_MAX + 2];
	json_t *config = NULL;
	const char *pin;
	size_t n;

	(void)state;
	memset(text, ' ', sizeof(text));
	expect("too long",
	       policy_text_parse((struct ref){(uint8_t *)text, POLICY_TEXT_MAX + 1},
				 lines_begin(&lines), &pin, &config),
	       -EINVAL);
	assert_told("too long", &lines, "the policy is not a text of up to 65536 bytes");
	expect("with a NUL",
	       policy_text_parse((struct ref){(const uint8_t *)"tang(a\0)", 8}, lines_begin(&lines),
				 &pin, &config),
	       -EINVAL);

	/* 64 parts, and one more. */
	for (size_t parts = SSS_SHARES_MAX; parts <= SSS_SHARES_MAX + 1; parts++) {
		n = (size_t)snprintf(text, sizeof(text), "1 of (tpm2");
		for (size_t i = 1; i < parts; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, ",tpm2");
		(void)snprintf(text + n, sizeof(text) - n, ")");
		expect(text, parse(text, &pin, &config), parts == SSS_SHARES_MAX ? 0 : -EINVAL);
		assert_told(text, &lines,
			    parts == SSS_SHARES_MAX ? NULL : "a threshold has at most 64 parts");
		json_decref(config);
		config = NULL;
	}

	/* Every text of a policy that is cut off is refused without reading on. */
	for (n = 0; n < strlen("2 of (tang(a), tang(\"b\", thp=x))"); n++) {
		struct ref cut = {(const uint8_t *)"2 of (tang(a), tang(\"b\", thp=x))", n};
		uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, cut.p, n);
		expect("cut", policy_text_parse((struct ref){copy, n}, NULL, &pin, &config),
		       -EINVAL);
		free(copy);
	}
}

/* Forms that only JSON has: written as what means the same, or not at all. */
static void test_json_only(void **state)
{
	static const struct {
		const char *pin, *config, *text; /* NULL: it has none */
	} cases[] = {
		{"tpm2", "{\"pcr_ids\":[1,\"7\"]}", "tpm2(pcr_ids=\"1,7\")"},
		{"tpm2", "{\"pcr_ids\":7}", "tpm2(pcr_ids=7)"},
		{"tpm2", "{\"pcr_ids\":[]}", "tpm2(pcrs=none)"},
		{"tpm2", "{\"pcrs\":\"\"}", "tpm2(pcrs=\"\")"},
		{"sss", "{\"pins\":{\"tang\":{\"url\":\"a\"}}}", "1 of (tang(a))"},
		{"tpm2", "{\"pcr_ids\":[[7]]}", NULL},
		{"tpm2", "{\"pin\":\"yes\"}", NULL},
		{"tpm2", "{\"hash\":true}", NULL},
		{"tpm2", "{\"hash\":null}", NULL},
		{"tpm2", "{\"hash\":\"\"}", NULL},
		{"tang", "{\"url\":\"{\"}", NULL},
		{"sss", "{\"pins\":{\"tang\":[{\"url\":\"a\"},{\"url\":\"a\",\"thp\":1.5}]}}",
		 NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *config = json_of(cases[i].config);
		char *text = NULL;

		expect(cases[i].config, policy_text_format(cases[i].pin, config, &text),
		       cases[i].text ? 0 : -EINVAL);
		if (cases[i].text)
			assert_string_equal(text, cases[i].text);
		else
			assert_null(text);
		free(text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_json_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
