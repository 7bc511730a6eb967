/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an initramfs must hold for a Tang server. */
#include "units/needs-pin.h"

#include "tests/unit/needs.h"

static void test_names_and_addresses(void **state)
{
	(void)state;
	assert_needs(needs_tang, "{\"url\":\"http://tang.example.com:8080/x\"}",
		     "network http://tang.example.com:8080/x\nname tang.example.com\n");
	assert_needs(needs_tang, "{\"url\":\"tang\"}", "network tang\nname tang\n");
	assert_needs(needs_tang, "{\"url\":\"http://192.0.2.1\"}", "network http://192.0.2.1\n");
	assert_needs(needs_tang, "{\"url\":\"http://[2001:db8::1]:80\"}",
		     "network http://[2001:db8::1]:80\n");
	assert_needs(needs_tang, "{\"url\":\"http://192.0.2.1.example\"}",
		     "network http://192.0.2.1.example\nname 192.0.2.1.example\n");
}

static void test_certificates(void **state)
{
	(void)state;
	assert_needs(needs_tang, "{\"url\":\"https://192.0.2.1\"}",
		     "network https://192.0.2.1\nbundle https://192.0.2.1\n");
	assert_needs(needs_tang, "{\"url\":\"https://192.0.2.1\",\"pubkey\":\"sha256//x\"}",
		     "network https://192.0.2.1\n");
	assert_needs(needs_tang, "{\"url\":\"https://192.0.2.1\",\"ca\":\"/etc/os-release\"}",
		     "network https://192.0.2.1\nfile /etc/os-release\n");
	assert_needs(needs_tang,
		     "{\"url\":\"https://192.0.2.1\",\"ca\":\"/etc/os-release\",\"pubkey\":\"x\"}",
		     "network https://192.0.2.1\nfile /etc/os-release\n");
}

static void test_refused(void **state)
{
	(void)state;
	assert_needs_fails(needs_tang, "{}", -EBADMSG);
	assert_needs_fails(needs_tang, "{\"url\":\"http://user@host\"}", -EBADMSG);
	assert_needs_fails(needs_tang, "{\"url\":\"https://host\",\"ca\":\"/etc/shadow\"}", -EPERM);
	assert_needs_fails(needs_tang, "{\"url\":\"https://host\",\"ca\":\"/nonexistent\"}",
			   -ENOENT);
}

static int any(const struct needs *needs, const json_t *facts)
{
	(void)facts;
	return needs_any_tang(needs);
}

static void test_any(void **state)
{
	(void)state;
	assert_needs(any, "{}", "network any Tang server\nbundle any Tang server\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_addresses),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
