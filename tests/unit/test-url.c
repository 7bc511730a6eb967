/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which texts name a Tang server, and what addresses are made of them. */
#include "tang/url.h"

#include "tang/fetch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_joined(void **state)
{
	static const struct {
		const char *base, *joined;
	} good[] = {
		{"http://h", "http://h/adv"},
		{"http://h/", "http://h/adv"},
		{"http://h//", "http://h/adv"},
		{"http://h/prefix//", "http://h/prefix/adv"},
		{"http://h/a//b", "http://h/a//b/adv"},
		{"https://h", "https://h/adv"},
		{"HTTP://Tang.Example.COM", "http://Tang.Example.COM/adv"},
		{"hTTpS://h:443", "https://h:443/adv"},
		{"h", "http://h/adv"},
		{"tang", "http://tang/adv"},
		{"http", "http://http/adv"},
		{"https:80", "http://https:80/adv"},
		{"h:7500/p/", "http://h:7500/p/adv"},
		{"http://a-b_c.example.", "http://a-b_c.example./adv"},
		{"http://xn--bcher-kva.example", "http://xn--bcher-kva.example/adv"},
		{"http://10.0.0.1:1", "http://10.0.0.1:1/adv"},
		{"http://10.0.0.1:65535", "http://10.0.0.1:65535/adv"},
		{"10.0.0.1", "http://10.0.0.1/adv"},
		{"http://[::1]", "http://[::1]/adv"},
		{"[fe80::1]:80/x", "http://[fe80::1]:80/x/adv"},
		{"http://[2001:DB8::192.0.2.1]:80", "http://[2001:DB8::192.0.2.1]:80/adv"},
		{"http://h/~a/b-c_d.e/%41%2f!$&'()*+,;=:@",
		 "http://h/~a/b-c_d.e/%41%2f!$&'()*+,;=:@/adv"},
		{"http://h/../x", "http://h/../x/adv"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		char *joined = NULL;

		if (fetch_url_check(good[i].base) != 0 ||
		    url_join(good[i].base, "adv", &joined) != 0)
			fail_msg("%s is refused", good[i].base);
		assert_string_equal(joined, good[i].joined);
		free(joined);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"/",
		"/adv",
		"http://",
		"http:///",
		"https:///x",
		"http:/h",
		"http:h",
		"//h",
		"://h",
		"ftp://h",
		"file:///etc/passwd",
		"gopher://h",
		"httpx://h",
		"http://http://h",
		" http://h",
		"http://h ",
		"http://h\n",
		"http://h\r\nX: y",
		"http://h/a b",
		"http://h/\t",
		"http://h/\x7f",
		"http://h/\x01",
		"http://\x80h",
		"http://b\303\274cher.example",
		"http://h/\xc3\xbc",
		"http://user@h",
		"http://user:pw@h",
		"http://h@",
		"http://h?x",
		"http://h/?x=1",
		"http://h#f",
		"http://h/#f",
		"http://h:",
		"http://h:/",
		"http://h:0",
		"http://h:00000",
		"http://h:65536",
		"http://h:99999",
		"http://h:000080",
		"http://h:-1",
		"http://h:+1",
		"http://h:8x",
		"http://h:80:80",
		"http://h\\x",
		"http://h/\\x",
		"http://h/%",
		"http://h/%4",
		"http://h/%4g",
		"http://h/%g4",
		"http://h%41",
		"http://.",
		"http://.h",
		"http://h..x",
		"http://h..",
		"http://*",
		"http://h,x",
		"http://[]",
		"http://[",
		"http://[::1",
		"http://::1",
		"http://[::1]x",
		"http://[::1]:",
		"http://[:::1]",
		"http://[1.2.3.4]",
		"http://[fe80::1%25eth0]",
		"http://[fe80::1%eth0]",
		"http://[g::1]",
		"http://[::1]]",
		"http://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]",
		"http://h/<x>",
		"http://h/\"",
		"http://h/`x`",
		"http://h/{x}",
		"http://h/a|b",
		"http://h/^",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *joined = NULL;

		if (fetch_url_check(bad[i]) != -EBADMSG ||
		    url_join(bad[i], "adv", &joined) != -EBADMSG || joined)
			fail_msg("\"%s\" is not refused", bad[i]);
	}
}

static void test_parts(void **state)
{
	struct url url;

	(void)state;
	assert_int_equal(url_parse("https://h:1/p//", &url), 0);
	assert_true(url.https);
	assert_int_equal(url.begin, 8);
	assert_int_equal(url.end, 13);
	assert_int_equal(url_parse("h", &url), 0);
	assert_false(url.https);
	assert_int_equal(url.begin, 0);
	assert_int_equal(url.end, 1);

	memset(&url, 0x5a, sizeof(url));
	assert_int_equal(url_parse("http://h:0", &url), -EBADMSG);
	assert_int_equal(url.begin, (size_t)0x5a5a5a5a5a5a5a5a);
}

static void test_lengths(void **state)
{
	char text[FETCH_URL_MAX + 2];
	struct url url;

	(void)state;
	memset(text, 'h', sizeof(text));
	text[253] = '\0';
	assert_int_equal(fetch_url_check(text), 0);
	text[253] = 'h';
	text[254] = '\0';
	assert_int_equal(fetch_url_check(text), -EBADMSG);

	text[1] = '/';
	text[254] = 'h';
	text[FETCH_URL_MAX] = '\0';
	assert_int_equal(url_parse(text, &url), 0);
	assert_int_equal(url.end, FETCH_URL_MAX);
	text[FETCH_URL_MAX] = 'h';
	text[FETCH_URL_MAX + 1] = '\0';
	assert_int_equal(fetch_url_check(text), -E2BIG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joined),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
