/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which volumes wait for the network. */
#include "units/order.h"

#include "tests/unit/ref.h"

static enum order order(const char *name, const char *options, bool initrd, const char *fstab)
{
	char copy[64] = "";
	struct listed_volume volume = {.name = copy, .options = ref_str(options)};
	enum order order = ORDER_NONE;

	(void)snprintf(copy, sizeof(copy), "%s", name);
	assert_int_equal(order_of(&volume, initrd, ref_str(fstab), &order), 0);
	return order;
}

static void test_options(void **state)
{
	static const struct {
		const char *options;
		enum order initrd, root;
	} cases[] = {
		{"", ORDER_NONE, ORDER_NONE},
		{"_netdev", ORDER_NONE, ORDER_NONE},
		{"token-type=systemd-tpm2,_netdev", ORDER_NONE, ORDER_NONE},
		{"token-type=cotter,_netdev", ORDER_NONE, ORDER_NONE},
		{"token-type,_netdev", ORDER_NONE, ORDER_NONE},
		{"token-types=cotter-tang,_netdev", ORDER_NONE, ORDER_NONE},
		/* marked for the network */
		{"token-type=cotter-tang,_netdev", ORDER_NETWORK, ORDER_NETWORK},
		{"luks,_netdev,token-type=cotter-tang,nofail", ORDER_NETWORK, ORDER_NETWORK},
		{"token-type=cotter-sss,_netdev", ORDER_NETWORK, ORDER_NETWORK},
		{"token-type=cotter-tpm2,_netdev", ORDER_NETWORK, ORDER_NETWORK},
		{"token-type=cotter-tang,_netdev,noauto", ORDER_NETWORK, ORDER_NETWORK},
		{"token-type=x,token-type=cotter-tang,_netdev", ORDER_NETWORK, ORDER_NETWORK},
		/* not marked */
		{"token-type=cotter-tang", ORDER_NETWORK, ORDER_NO_NETDEV},
		{"token-type=cotter-tang,nofail", ORDER_NETWORK, ORDER_NO_NETDEV},
		{"token-type=cotter-tang,noauto", ORDER_NETWORK, ORDER_NONE},
		{"token-type=cotter-tang,noauto,auto", ORDER_NETWORK, ORDER_NO_NETDEV},
		{"token-type=cotter-tang,token-type=cotter-tang", ORDER_NETWORK, ORDER_NO_NETDEV},
		/* may be opened without the network */
		{"token-type=cotter-tpm2", ORDER_NONE, ORDER_NONE},
		{"token-type=cotter-sss", ORDER_NONE, ORDER_NONE},
		{"token-type=cotter-tang,token-type=cotter-tpm2", ORDER_NONE, ORDER_NONE},
		{"token-type=systemd-tpm2,token-type=cotter-tang", ORDER_NONE, ORDER_NONE},
		/* open before the real root is there */
		{"token-type=cotter-tang,_netdev,x-initrd.attach", ORDER_NETWORK, ORDER_NONE},
		{"token-type=cotter-tang,x-initrd.attach", ORDER_NETWORK, ORDER_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum order initrd = order("data", cases[i].options, true, "");
		enum order root = order("data", cases[i].options, false, "");

		if (initrd != cases[i].initrd || root != cases[i].root)
			fail_msg("%s: got %d and %d, want %d and %d", cases[i].options, initrd,
				 root, cases[i].initrd, cases[i].root);
	}
}

static void test_names(void **state)
{
	static const char options[] = "token-type=cotter-tang,_netdev";

	(void)state;
	assert_int_equal(order("root", options, true, ""), ORDER_NETWORK);
	assert_int_equal(order("root", options, false, ""), ORDER_NONE);
	assert_int_equal(order("usr", options, false, ""), ORDER_NONE);
	assert_int_equal(order("roots", options, false, ""), ORDER_NETWORK);
}

static void test_fstab(void **state)
{
	static const struct {
		const char *fstab;
		enum order want;
	} cases[] = {
		{"/dev/mapper/data /d ext4 defaults 0 2\n", ORDER_LOCAL_USER},
		{"/dev/mapper/data /d ext4", ORDER_LOCAL_USER},
		{"# x\n/dev/vda1 / ext4 defaults 0 1\n/dev/mapper/data /d xfs rw,auto\n",
		 ORDER_LOCAL_USER},
		{"/dev/mapper/data /d ext4 _netdev\n/dev/mapper/data /e ext4 rw\n",
		 ORDER_LOCAL_USER},
		{"/dev/mapper/data none swap sw,nofail,_netdev 0 0\n", ORDER_LOCAL_USER},
		{"/dev/mapper/data none swap sw,noauto 0 0\n", ORDER_NETWORK},
		{"/dev/mapper/data /d ext4 rw,_netdev 0 2\n", ORDER_NETWORK},
		{"/dev/mapper/data /d ext4 nofail 0 2\n", ORDER_NETWORK},
		{"/dev/mapper/data /d ext4 noauto 0 2\n", ORDER_NETWORK},
		{"/dev/mapper/data /d ext4 x-systemd.automount 0 2\n", ORDER_NETWORK},
		{"/dev/mapper/data2 /d ext4 defaults 0 2\n", ORDER_NETWORK},
		{"/dev/data /d ext4 defaults 0 2\n", ORDER_NETWORK},
		{"#/dev/mapper/data /d ext4 defaults 0 2\n", ORDER_NETWORK},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum order got =
			order("data", "token-type=cotter-tang,_netdev", false, cases[i].fstab);

		if (got != cases[i].want)
			fail_msg("%s: got %d, want %d", cases[i].fstab, got, cases[i].want);
		assert_int_equal(
			order("data", "token-type=cotter-tang,_netdev", true, cases[i].fstab),
			ORDER_NETWORK);
		assert_int_equal(order("data", "token-type=cotter-tpm2", false, cases[i].fstab),
				 ORDER_NONE);
	}
}

static void test_ours(void **state)
{
	struct listed_volume volume = {0};

	(void)state;
	volume.options = ref_str("a,token-type=cotter-tpm2");
	assert_true(order_is_ours(&volume));
	volume.options = ref_str("a,token-type=systemd-tpm2");
	assert_false(order_is_ours(&volume));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_fstab),
		cmocka_unit_test(test_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
