/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counters as OpenMetrics and as a line, and the check that is not repeated for everyone. */
#include "tang/server/metrics.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/lines.h"
#include "tests/unit/root.h"
#include "tests/unit/vectors/tang-keys.h"

static const struct settings settings = {.max_connections = 10, .max_connections_per_address = 10};
static struct notice notice;
static struct lines lines;

static struct server *server_of(struct store *store)
{
	struct server *server = NULL;

	assert_int_equal(server_new(&settings, store, &notice, &lines.log, &server), 0);
	return server;
}

static struct store *open_store(void)
{
	struct store *store = NULL;

	assert_int_equal(store_open(root, &lines.log, &store), 0);
	return store;
}

static void put_key(const char *path, enum keyring_use use)
{
	char *text = new_key_text("P-256", use);

	put(path, text);
	free(text);
}

static void assert_has(const struct buf *text, const char *line)
{
	char whole[8192];

	assert_true(text->n < sizeof(whole));
	memcpy(whole, text->p, text->n);
	whole[text->n] = '\0';
	if (!strstr(whole, line))
		fail_msg("\"%s\" is not in: %s", line, whole);
}

static void test_empty(void **state)
{
	CLEANUP(store_closep) struct store *store = NULL;
	CLEANUP(server_freep) struct server *server = NULL;
	CLEANUP(buf_done) struct buf text = {0};

	(void)state;
	lines_begin(&lines);
	store = open_store();
	server = server_of(store);
	assert_int_equal(metrics_write(server, &text), 0);
	assert_has(&text, "\ncotter_tangd_healthy 0\n");
	assert_has(&text, "\ncotter_tangd_keys{state=\"advertised\"} 0\n");
	assert_memory_equal(text.p + text.n - 6, "# EOF\n", 6);
}

static void test_text(void **state)
{
	CLEANUP(store_closep) struct store *store = NULL;
	CLEANUP(server_freep) struct server *server = NULL;
	CLEANUP(keys_unrefp) struct keys *keys = NULL;
	CLEANUP(buf_done) struct buf text = {0};
	char line[LOG_LINE_MAX];

	(void)state;
	lines_begin(&lines);
	put_key("/signing.jwk", KEYRING_SIGNING);
	put_key("/exchange.jwk", KEYRING_EXCHANGE);
	put_key("/.old.jwk", KEYRING_EXCHANGE);
	store = open_store();
	server = server_of(store);
	keys = store_keys(store);
	key_count(keys_exchange_key(keys));
	counters_request(&server->counters, ROUTE_REC, 200);
	counters_request(&server->counters, ROUTE_REC, 404);
	counters_request(&server->counters, ROUTE_ADV, 200);
	counters_request(&server->counters, ROUTE_OTHER, 405);
	counters_add(&server->counters, COUNTER_RECOVERY_USECS, 3000005);
	counters_add(&server->counters, COUNTER_CONNECTIONS, 17);
	assert_int_equal(metrics_write(server, &text), 0);
	assert_has(&text, "\ncotter_tangd_healthy 1\n");
	assert_has(&text, "\ncotter_tangd_connections_accepted_total 17\n");
	assert_has(&text, "\ncotter_tangd_requests_total{route=\"rec\",status=\"200\"} 1\n");
	assert_has(&text, "\ncotter_tangd_requests_total{route=\"other\",status=\"405\"} 1\n");
	assert_has(&text, "\ncotter_tangd_recovery_seconds_count 2\n");
	assert_has(&text, "\ncotter_tangd_recovery_seconds_sum 3.000005\n");
	assert_has(&text, "\ncotter_tangd_keys{state=\"advertised\"} 2\n");
	assert_has(&text, "\ncotter_tangd_keys{state=\"hidden\"} 1\n");
	(void)snprintf(line, sizeof(line), "\ncotter_tangd_key_recoveries_total{key=\"%s\"} 1\n",
		       key_name(keys_exchange_key(keys)));
	assert_has(&text, line);

	metrics_line(server, line);
	assert_string_equal(line, "recoveries: 1, failed: 1; advertisements: 1; other requests: 1; "
				  "connections: 17, open: 0, refused: 0, cut: 0");
}

/* Within a second the answer is the last one. */
static void test_vitals(void **state)
{
	CLEANUP(store_closep) struct store *store = NULL;
	struct vitals vitals;

	(void)state;
	lines_begin(&lines);
	store = open_store();
	vitals_init(&vitals);
	assert_int_equal(vitals_check(&vitals, store), 0);
	assert_true(vitals.next_us > now_us());
	vitals.last = -EIO;
	assert_int_equal(vitals_check(&vitals, store), -EIO);
	vitals.next_us = now_us();
	assert_int_equal(vitals_check(&vitals, store), 0);
	vitals_done(&vitals);
}

static int setup(void **state)
{
	(void)state;
	return root_begin();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_vitals),
	};

	return cmocka_run_group_tests(tests, setup, remove_root);
}
