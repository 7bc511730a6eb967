/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections counted in all and by address, by many threads too. */
#include "tang/server/quota.h"

#include "tang/server/listen.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct quota quota;

static int enter(const char *text, struct quota_peer **ret)
{
	struct listen_address address;

	assert_int_equal(listen_address_read(text, &address), 0);
	return quota_enter(&quota, &address.any, ret);
}

static void test_addresses(void **state)
{
	struct quota_peer *four[3] = {0}, *six[2] = {0}, *other = NULL;

	(void)state;
	quota_init(&quota, 100, 2);
	assert_int_equal(enter("192.0.2.1:1", &four[0]), 0);
	assert_int_equal(enter("192.0.2.1:2", &four[1]), 0);
	assert_int_equal(enter("192.0.2.1:3", &four[2]), -EDQUOT);
	assert_null(four[2]);
	/* On a socket for both families it is the same address. */
	assert_int_equal(enter("[::ffff:192.0.2.1]:3", &four[2]), -EDQUOT);
	assert_int_equal(enter("192.0.2.2:1", &other), 0);
	assert_int_equal(enter("[2001:db8::1]:1", &six[0]), 0);
	assert_int_equal(enter("[2001:db8::2]:1", &six[1]), 0);
	assert_int_equal(atomic_load(&quota.open), 5);

	quota_leave(&quota, four[0]);
	assert_int_equal(enter("192.0.2.1:4", &four[2]), 0);
	quota_leave(&quota, four[1]);
	quota_leave(&quota, four[2]);
	quota_leave(&quota, other);
	quota_leave(&quota, six[0]);
	quota_leave(&quota, six[1]);
	assert_int_equal(atomic_load(&quota.open), 0);
	for (size_t i = 0; i < QUOTA_BUCKETS; i++)
		assert_null(quota.buckets[i]);
	quota_done(&quota);
}

static void test_all(void **state)
{
	struct quota_peer *peers[3];
	char text[32];

	(void)state;
	quota_init(&quota, 3, 1);
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		assert_false(quota_full(&quota));
		(void)snprintf(text, sizeof(text), "192.0.2.%zu:1", i);
		assert_int_equal(enter(text, &peers[i]), 0);
	}
	assert_true(quota_full(&quota));
	quota_leave(&quota, peers[1]);
	assert_false(quota_full(&quota));
	quota_leave(&quota, peers[0]);
	quota_leave(&quota, peers[2]);
	quota_done(&quota);
}

static void *come_and_go(void *arg)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = 0x010200c0};
	struct quota_peer *peers[8];

	(void)arg;
	for (unsigned i = 0; i < 20000; i++) {
		size_t n = 0;

		for (unsigned j = 0; j < 8; j++) {
			from.sin_addr.s_addr = (i * 7 + j) % 5000;
			n += quota_enter(&quota, (const struct sockaddr *)&from, &peers[n]) == 0;
		}
		while (n > 0)
			quota_leave(&quota, peers[--n]);
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[4];

	(void)state;
	quota_init(&quota, 100, 3);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&quota.open), 0);
	for (size_t i = 0; i < QUOTA_BUCKETS; i++)
		assert_null(quota.buckets[i]);
	quota_done(&quota);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
