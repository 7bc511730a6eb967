/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which texts are PKCS #11 URIs, what they say, and how we write them. */
#include "pkcs11/uri.h"

#include "tests/unit/lines.h"

/* Our reading, written again, shows all of it. */
static void test_read(void **state)
{
	static const struct {
		const char *text, *again;
	} good[] = {
		{"pkcs11:", "pkcs11:"},
		{"pkcs11:token=a%20b", "pkcs11:token=a%20b"},
		{"pkcs11:id=%01%fF;object=k%3b", "pkcs11:object=k%3B;id=%01%FF"},
		{"pkcs11:id=ab", "pkcs11:id=%61%62"},
		{"pkcs11:serial=0;model=m;manufacturer=n",
		 "pkcs11:model=m;manufacturer=n;serial=0"},
		{"pkcs11:slot-id=1999999999", "pkcs11:slot-id=1999999999"},
		{"pkcs11:type=private", "pkcs11:type=private"},
		{"pkcs11:?pin-value=12%2634", "pkcs11:?pin-value=12%2634"},
		{"pkcs11:?pin-source=file:/a.pin", "pkcs11:?pin-source=/a.pin"},
		{"pkcs11:?pin-source=file:///a.pin", "pkcs11:?pin-source=/a.pin"},
		{"pkcs11:?module-path=/m.so&pin-source=/a",
		 "pkcs11:?module-path=/m.so&pin-source=/a"},
		/* as Clevis's users write them */
		{"pkcs11:module-path=/m.so;token=t;pin-value=1;",
		 "pkcs11:token=t?module-path=/m.so&pin-value=1"},
		/* what a query says besides is nobody's business */
		{"pkcs11:token=t?x-new=1", "pkcs11:token=t"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CLEANUP(uri_done) struct uri uri = {0};
		CLEANUP(buf_done) struct buf text = {0};
		struct lines lines;

		expect(good[i].text, uri_read(good[i].text, lines_begin(&lines), &uri), 0);
		assert_told(good[i].text, &lines, NULL);
		assert_int_equal(uri_write(&uri, &text), 0);
		assert_string_equal((const char *)text.p, good[i].again);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int error;
		const char *words;
	} bad[] = {
		{"", -EBADMSG, "begins with \"pkcs11:\""},
		{"token=a", -EBADMSG, "begins with"},
		{"pkcs11:token", -EBADMSG, "\"token\" in the URI"},
		{"pkcs11:token=a;token=a", -EBADMSG, "\"token\""},
		{"pkcs11:id=%01;id=%01", -EBADMSG, "\"id\""},
		{"pkcs11:token=%", -EBADMSG, "\"token\""},
		{"pkcs11:token=%1", -EBADMSG, "\"token\""},
		{"pkcs11:token=%1g", -EBADMSG, "\"token\""},
		{"pkcs11:token=a%00b", -EBADMSG, "\"token\""},
		{"pkcs11:token=123456789012345678901234567890123", -E2BIG, "\"token\""},
		{"pkcs11:serial=12345678901234567", -E2BIG, "\"serial\""},
		{"pkcs11:slot-id=", -EBADMSG, "\"slot-id\""},
		{"pkcs11:slot-id=1x", -EBADMSG, "\"slot-id\""},
		{"pkcs11:slot-id=1;slot-id=1", -EBADMSG, "\"slot-id\""},
		{"pkcs11:?pin-value=1&pin-value=1", -EBADMSG, "\"pin-value\""},
		{"pkcs11:library-version=1", -EOPNOTSUPP, "\"library-version\""},
		{"pkcs11:?token=a&module-name=x", -EOPNOTSUPP, "\"module-name\""},
		{"pkcs11:?module-path=m.so", -EOPNOTSUPP, "absolute"},
		{"pkcs11:?pin-source=|cat", -EOPNOTSUPP, "absolute"},
		{"pkcs11:?pin-source=file:a.pin", -EOPNOTSUPP, "absolute"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(uri_done) struct uri uri = {0};
		const struct uri none = {0};
		struct lines lines;

		expect(bad[i].text, uri_read(bad[i].text, lines_begin(&lines), &uri), bad[i].error);
		assert_told(bad[i].text, &lines, bad[i].words);
		assert_memory_equal(&uri, &none, sizeof(none));
	}
}

static void test_too_long(void **state)
{
	char text[URI_TEXT_MAX + 2];
	struct lines lines;
	struct uri uri;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "pkcs11:x", 8);
	assert_int_equal(uri_read(text, lines_begin(&lines), &uri), -E2BIG);
	assert_told("long", &lines, "longer than 1024 bytes");
}

static void test_says(void **state)
{
	static const struct {
		const char *text;
		bool pin, key;
	} cases[] = {
		{"pkcs11:token=t", false, false},       {"pkcs11:id=%00", false, true},
		{"pkcs11:object=k", false, true},       {"pkcs11:?pin-value=1", true, false},
		{"pkcs11:?pin-source=/p", true, false}, {"pkcs11:?pin-value=", true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(uri_done) struct uri uri = {0};

		expect(cases[i].text, uri_read(cases[i].text, NULL, &uri), 0);
		expect(cases[i].text, uri_has_pin(&uri), cases[i].pin);
		expect(cases[i].text, uri_names_key(&uri), cases[i].key);
	}
}

static void test_conceal(void **state)
{
	static const char *const cases[][2] = {
		{"pkcs11:token=t", "pkcs11:token=t"},
		{"pkcs11:token=t?pin-value=1234", "pkcs11:token=t?pin-value="},
		{"pkcs11:pin-value=1234;token=t?pin-value=5&module-path=/m",
		 "pkcs11:pin-value=;token=t?pin-value=&module-path=/m"},
		{"pkcs11:object=my-pin-value=1?pin-source=/p",
		 "pkcs11:object=my-pin-value=1?pin-source=/p"},
		/* what ends a value of the path does not end one of the query, nor the other way round */
		{"pkcs11:token=t?pin-value=12?34;56&x=1", "pkcs11:token=t?pin-value=&x=1"},
		{"pkcs11:pin-value=12&34?x=1", "pkcs11:pin-value=?x=1"},
		{"pin-value=1", "pin-value="},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *shown = uri_conceal(cases[i][0]);

		assert_string_equal(shown, cases[i][1]);
		free(shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_long), cmocka_unit_test(test_says),
		cmocka_unit_test(test_conceal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
