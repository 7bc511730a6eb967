/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections in the order of their deadlines. */
#include "tang/server/client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Walks it both ways. */
static void assert_order(const struct clients *clients, struct client *const *want, size_t n)
{
	const struct client *client = clients->first;

	for (size_t i = 0; i < n; i++, client = client->next)
		assert_ptr_equal(client, want[i]);
	assert_null(client);
	client = clients->last;
	for (size_t i = n; i > 0; i--, client = client->previous)
		assert_ptr_equal(client, want[i - 1]);
	assert_null(client);
}

static void test_order(void **state)
{
	struct client a = {0}, b = {0}, c = {0};
	struct clients clients = {0}, others = {0};

	(void)state;
	clients_add(&clients, &a, 1);
	clients_add(&clients, &b, 2);
	clients_add(&clients, &c, 3);
	assert_order(&clients, (struct client *[]){&a, &b, &c}, 3);
	clients_add(&clients, &b, 4);
	assert_order(&clients, (struct client *[]){&a, &c, &b}, 3);
	clients_add(&clients, &a, 5);
	assert_order(&clients, (struct client *[]){&c, &b, &a}, 3);
	clients_add(&others, &b, 6);
	assert_order(&clients, (struct client *[]){&c, &a}, 2);
	assert_order(&others, (struct client *[]){&b}, 1);
	clients_remove(&c);
	clients_remove(&c);
	assert_order(&clients, (struct client *[]){&a}, 1);
	clients_remove(&a);
	clients_remove(&b);
	assert_order(&clients, NULL, 0);
	assert_order(&others, NULL, 0);
}

static void test_expired(void **state)
{
	struct client a = {0}, b = {0}, c = {0};
	struct clients clients = {0};

	(void)state;
	assert_null(clients_expired(&clients, UINT64_MAX));
	clients_add(&clients, &a, 10);
	clients_add(&clients, &b, 20);
	clients_add(&clients, &c, 30);
	assert_null(clients_expired(&clients, 9));
	assert_ptr_equal(clients_expired(&clients, 10), &a);
	assert_null(clients_expired(&clients, 10));
	clients_limit(&clients, 25);
	assert_int_equal(b.deadline_us, 20);
	assert_int_equal(c.deadline_us, 25);
	assert_ptr_equal(clients_expired(&clients, 29), &b);
	assert_ptr_equal(clients_expired(&clients, 29), &c);
	assert_null(clients_expired(&clients, 29));
	assert_order(&clients, NULL, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_expired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
