/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which tokens of a volume keep another one with a PIN away. */
#include "enroll/second-pin.h"

#include "tests/unit/opened.h"

#include <errno.h>

static struct opened o;

static int begin(void **state)
{
	(void)state;
	return luks_setup(false, NULL);
}

static int make_volume(void **state)
{
	(void)state;
	opened_begin(&o);
	return 0;
}

static int drop_volume(void **state)
{
	(void)state;
	opened_end(&o);
	return 0;
}

static void test_others(void **state)
{
	static const struct options card = {.card_pin = true}, tpm = {.user_pin = true}, none,
				    forced = {.card_pin = true, .force = true};
	static const struct {
		const char *token;
		int result;
	} cases[] = {
		{"{\"type\":\"systemd-pkcs11\",\"keyslots\":[\"0\"]}", -EEXIST},
		{"{\"type\":\"systemd-pkcs11\",\"keyslots\":[]}", 0},
		{"{\"type\":\"systemd-tpm2\",\"keyslots\":[\"0\"],\"tpm2-pin\":true}", -EEXIST},
		{"{\"type\":\"systemd-tpm2\",\"keyslots\":[\"0\"],\"tpm2-pin\":false}", 0},
		{"{\"type\":\"systemd-tpm2\",\"keyslots\":[\"0\"]}", 0},
		{"{\"type\":\"systemd-fido2\",\"keyslots\":[\"0\"],"
		 "\"fido2-clientPin-required\":true}",
		 -EEXIST},
		{"{\"type\":\"systemd-fido2\",\"keyslots\":[\"0\"]}", 0},
		{"{\"type\":\"systemd-recovery\",\"keyslots\":[\"0\"]}", 0},
		{"{\"type\":\"another\",\"keyslots\":[\"0\"],\"tpm2-pin\":true}", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(inventory_done) struct inventory inventory = {0};
		const char *what = cases[i].token;

		add_token(o.luks, 5, what);
		assert_int_equal(inventory_read(o.luks, &inventory), 0);
		opened_forget_lines(&o);
		expect(what, second_pin_check(o.luks, &inventory, &card, 0, NULL), cases[i].result);
		assert_told(what, &o.lines, cases[i].result < 0 ? "token 5 (systemd-" : NULL);
		expect(what, second_pin_check(o.luks, &inventory, &tpm, 0, "tpm2"),
		       cases[i].result);
		opened_forget_lines(&o);
		expect(what, second_pin_check(o.luks, &inventory, &card, UINT32_C(1) << 5, NULL),
		       0);
		expect(what, second_pin_check(o.luks, &inventory, &none, 0, NULL), 0);
		expect(what, second_pin_check(o.luks, &inventory, &forced, 0, NULL), 0);
		assert_told(what, &o.lines, NULL);
	}
}

static bool says_pin(const struct pin *const *all, const json_t *hdr)
{
	(void)all;
	return json_is_true(json_object_get(local_config(hdr), "pin"));
}

static void test_ours(void **state)
{
	static const struct options card = {.card_pin = true};
	CLEANUP(inventory_done) struct inventory inventory = {0};
	struct pin asking = pin_local;
	struct item *item;

	(void)state;
	asking.wants_pin = says_pin;
	add_local(o.luks, 2, "{\"pin\":true}", 1, PASSPHRASE);
	assert_int_equal(inventory_read(o.luks, &inventory), 0);
	opened_forget_lines(&o);
	assert_int_equal(second_pin_check(o.luks, &inventory, &card, 0, NULL), 0); /* never asks */
	item = (struct item *)(uintptr_t)inventory_find(&inventory, 2);
	item->token.pin = &asking;
	assert_int_equal(second_pin_check(o.luks, &inventory, &card, 0, NULL), -EEXIST);
	assert_told("ours", &o.lines, "token 2 (cotter-local)");
	assert_int_equal(second_pin_check(o.luks, &inventory, &card, 0, "other"), -EEXIST);
	assert_int_equal(second_pin_check(o.luks, &inventory, &card, 0, "local"), 0);
	assert_int_equal(second_pin_check(o.luks, &inventory, &card, UINT32_C(1) << 2, NULL), 0);
	item->keyslots = 0;
	assert_int_equal(second_pin_check(o.luks, &inventory, &card, 0, NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_others, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_ours, make_volume, drop_volume),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
