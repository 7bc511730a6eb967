/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several requests to one server: they share its connection and, where it fails, its fate. */
#include "tests/unit/hostile.h"

#define ADV "{\"payload\":\"e30\",\"signatures\":[]}"

enum { N = 3 };

static struct server server;
static struct trial trials[N];
static struct cot cot;
static uint64_t began;
static bool backwards; /* those that wait are looked at first */

static int set_up(void **state)
{
	char log[64], adv[64];

	(void)state;
	assert_non_null(mkdtemp(test_dir));
	write_file(in_dir("adv"), ADV);
	(void)snprintf(log, sizeof(log), "--log=%s", in_dir("log"));
	(void)snprintf(adv, sizeof(adv), "--adv=%s", in_dir("adv"));
	server = server_start((const char *const[]){log, adv, NULL});
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	server_stop(&server);
	return run((const char *const[]){"rm", "-r", test_dir, NULL});
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++)
		trial_done(&trials[i]);
	cot_done(&cot);
	return 0;
}

/* All of them at once; the prefix says how the server answers. */
static void start_all(unsigned port, const char *prefix, unsigned deadline_ms)
{
	write_file(in_dir("log"), "");
	began = now_us();
	cot = (struct cot){.deadline_us = began + (uint64_t)deadline_ms * USEC_PER_MSEC};
	for (size_t i = 0; i < N; i++) {
		struct trial *t = &trials[i];

		trial_init(t, "http://127.0.0.1:%u%s", port, prefix);
		t->r = -EINPROGRESS;
		assert_int_equal(fetch_start(&cot, &t->log, &t->request, &t->fetch), 0);
	}
}

static bool step_all(void)
{
	bool pending = false;

	for (size_t i = 0; i < N; i++) {
		struct trial *t = &trials[backwards ? N - 1 - i : i];

		if (!t->fetch || t->r != -EINPROGRESS)
			continue;
		t->r = fetch_step(&cot, t->fetch, &t->reply);
		t->took_ms = (unsigned)((now_us() - began) / USEC_PER_MSEC);
		pending |= t->r == -EINPROGRESS;
	}
	return pending;
}

static void finish_all(void)
{
	while (step_all())
		assert_int_equal(cot_wait(&cot), 0);
}

/* How many requests the server saw, and on how many connections. */
static void count_requests(size_t *ret_requests, size_t *ret_connections)
{
	static char text[64 * 1024];
	CLEANUP_JSON json_t *seen = json_object();
	char *save = NULL;

	*ret_requests = 0;
	read_file(in_dir("log"), text, sizeof(text));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		CLEANUP_JSON json_t *request = json_loads(line, 0, NULL);
		char number[24];

		assert_non_null(request);
		(void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			       json_integer_value(json_object_get(request, "connection")));
		assert_int_equal(json_object_set_new(seen, number, json_true()), 0);
		(*ret_requests)++;
	}
	*ret_connections = json_object_size(seen);
}

static void assert_counted(size_t requests, size_t connections)
{
	size_t got_requests, got_connections;

	count_requests(&got_requests, &got_connections);
	if (got_requests != requests || got_connections != connections)
		fail_msg("the server saw %zu requests on %zu connections, not %zu on %zu",
			 got_requests, got_connections, requests, connections);
}

static void test_one_connection(void **state)
{
	(void)state;
	start_all(server.port, "", 10000);
	finish_all();
	for (size_t i = 0; i < N; i++)
		assert_body(&trials[i], ADV);
	assert_counted(N, 1);
}

/* Whatever the answer: only a server that cannot be reached is the same for all. */
static void test_answers_are_each_ones_own(void **state)
{
	(void)state;
	start_all(server.port, "/404", 10000);
	finish_all();
	for (size_t i = 0; i < N; i++)
		assert_status(&trials[i], 404);
	assert_counted(N, 1);

	(void)end(NULL);
	start_all(server.port, "/truncated", 10000);
	finish_all();
	for (size_t i = 0; i < N; i++)
		assert_failed(&trials[i], -EPROTO, "in the middle of its reply");
	assert_counted(N, N);
}

/* One wait of 5 s for all, in whatever order they are looked at. */
static void check_silent(void)
{
	start_all(server.port, "/silent", 20000);
	finish_all();
	for (size_t i = 0; i < N; i++) {
		assert_failed(&trials[i], -ETIMEDOUT, "stayed silent for 5 s");
		assert_took(&trials[i], 5000, 5900);
	}
	assert_counted(1, 1);
}

static void test_silent(void **state)
{
	(void)state;
	check_silent();
	(void)end(NULL);
	backwards = true;
	check_silent();
	backwards = false;
}

static void test_refused(void **state)
{
	(void)state;
	start_all(1, "", 20000);
	finish_all();
	for (size_t i = 0; i < N; i++) {
		assert_failed(&trials[i], -ECONNREFUSED, "connection refused (tried for 3 s)");
		assert_took(&trials[i], 3000, 3900);
	}
}

static void test_deadline(void **state)
{
	(void)state;
	start_all(server.port, "/drip", 2500);
	finish_all();
	for (size_t i = 0; i < N; i++) {
		assert_failed(&trials[i], -ETIMEDOUT, "did not come to an end");
		assert_took(&trials[i], 2500, 3400);
	}
	assert_counted(1, 1);
}

/* The one that runs is not wanted any more: those behind it are asked all the same. */
static void test_cancel(void **state)
{
	(void)state;
	for (size_t cancelled = 0; cancelled < N; cancelled++) {
		start_all(server.port, "", 10000);
		(void)step_all();
		trials[cancelled].fetch = fetch_free(trials[cancelled].fetch);
		finish_all();
		for (size_t i = 0; i < N; i++)
			if (i != cancelled)
				assert_body(&trials[i], ADV);
		(void)end(NULL);
	}
}

/* Of three on one connection, the second is not answered: the third is not left to wait 10 s. */
static void test_silent_later(void **state)
{
	struct server fickle =
		server_start((const char *const[]){"--adv", in_dir("adv"), "--answers=1", NULL});

	(void)state;
	start_all(fickle.port, "", 20000);
	finish_all();
	server_stop(&fickle);
	assert_body(&trials[0], ADV);
	for (size_t i = 1; i < N; i++) {
		assert_failed(&trials[i], -ETIMEDOUT, "stayed silent for 5 s");
		assert_took(&trials[i], 5000, 5900);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_one_connection, end),
		cmocka_unit_test_teardown(test_answers_are_each_ones_own, end),
		cmocka_unit_test_teardown(test_silent, end),
		cmocka_unit_test_teardown(test_refused, end),
		cmocka_unit_test_teardown(test_deadline, end),
		cmocka_unit_test_teardown(test_cancel, end),
		cmocka_unit_test_teardown(test_silent_later, end),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
