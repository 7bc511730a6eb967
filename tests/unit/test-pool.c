/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pool of one cot: who holds it, and what it does when libcurl fails or nobody asks. */
#include "tang/pool.h"

#include "tests/unit/lines.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static struct lines lines;

static struct cot new_cot(void)
{
	return (struct cot){
		.log = lines_begin(&lines),
		.deadline_us = now_us() + 20 * (uint64_t)USEC_PER_SEC,
	};
}

/* Before libcurl is loaded for the first time. */
static void test_no_libcurl(void **state)
{
	struct cot cot = new_cot();
	struct rlimit before, none;
	struct pool *pool = NULL;
	int r;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = STDERR_FILENO + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = pool_get(&cot, &lines.log, &pool);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EOPNOTSUPP);
	assert_told("no libcurl", &lines, "without libcurl");
	assert_null(pool);
	assert_null(cot.waiter);
}

/* One for the cot and one for each who asked, in whatever order they end. */
static void test_references(void **state)
{
	struct cot cot = new_cot();
	struct pool *first = NULL, *second = NULL;

	(void)state;
	assert_int_equal(pool_get(&cot, &lines.log, &first), 0);
	assert_ptr_equal(cot.waiter, &first->waiter);
	assert_int_equal(first->refs, 2);
	assert_int_equal(pool_get(&cot, &lines.log, &second), 0);
	assert_ptr_equal(first, second);
	assert_int_equal(first->refs, 3);
	pool_unref(second);
	cot_done(&cot);
	assert_int_equal(first->refs, 1);
	assert_non_null(first->multi);
	pool_unref(first);

	/* a cot can be used again */
	assert_int_equal(pool_get(&cot, &lines.log, &first), 0);
	pool_unref(first);
	assert_int_equal(first->refs, 1);
	cot_done(&cot);
	assert_told("pool", &lines, NULL);
}

static int foreign_wait(struct waiter *waiter, const struct pollfd *alarm, uint64_t until_us)
{
	(void)waiter;
	(void)alarm;
	(void)until_us;
	return 0;
}

static void test_foreign_waiter(void **state)
{
	struct waiter foreign = {.wait = foreign_wait};
	struct cot cot = {.waiter = &foreign};
	struct pool *pool = NULL;

	(void)state;
	assert_int_equal(pool_get(&cot, NULL, &pool), -EINVAL);
	assert_null(pool);
	assert_ptr_equal(cot.waiter, &foreign);
}

static void test_transfers(void **state)
{
	struct cot cot = new_cot();
	char server[] = "nonsense://h/";
	struct transfer transfer = {.server = server};
	struct pool *pool;

	(void)state;
	assert_int_equal(pool_get(&cot, &lines.log, &pool), 0);
	transfer.easy = pool->curl.easy_init();
	assert_non_null(transfer.easy);
	assert_int_equal(pool->curl.easy_setopt(transfer.easy, CURLOPT_URL, "nonsense://h"),
			 CURLE_OK);

	pool_remove(pool, &transfer); /* it does not run */
	assert_int_equal(transfer.state, TRANSFER_IDLE);
	for (int i = 0; i < 2; i++) {
		transfer.moved_us = 1;
		assert_int_equal(pool_add(pool, &transfer), 0);
		assert_int_equal(transfer.state, TRANSFER_RUNNING);
		assert_int_equal(transfer.moved_us, 0);
		while (i == 1 && transfer.state == TRANSFER_RUNNING)
			assert_int_equal(cot_wait(&cot), 0);
		pool_remove(pool, &transfer);
		assert_int_equal(transfer.state, TRANSFER_IDLE);
	}
	assert_int_equal(transfer.result, CURLE_UNSUPPORTED_PROTOCOL);

	pool->broken = true;
	assert_int_equal(pool_add(pool, &transfer), -ENOMEM);
	assert_int_equal(transfer.state, TRANSFER_IDLE);
	pool->curl.easy_cleanup(transfer.easy);
	pool_unref(pool);
	cot_done(&cot);
}

static void on_alarm(int number)
{
	(void)number;
}

/* Without a transfer it sleeps like any other wait, and a signal ends it. */
static void test_wait(void **state)
{
	const struct itimerval often = {{0, 20 * 1000}, {0, 20 * 1000}}, never = {0};
	const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct cot cot = new_cot();
	uint64_t began = now_us();
	struct pool *pool;

	(void)state;
	assert_int_equal(pool_get(&cot, &lines.log, &pool), 0);
	cot_wake_at(&cot, began + 30 * USEC_PER_MSEC);
	assert_int_equal(cot_wait(&cot), 0);
	assert_in_range(now_us() - began, 29 * USEC_PER_MSEC, 10 * USEC_PER_SEC);
	assert_true(pool->looked_us >= began);
	assert_false(pool->broken);

	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	assert_int_equal(cot_wait(&cot), -EINTR);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_false(pool->broken);
	pool_unref(pool);
	cot_done(&cot);
}

/* What poll() cannot wait for, no transfer waits for. */
static void test_broken(void **state)
{
	struct cot cot = new_cot();
	struct pool *pool;
	struct rlimit before, none;
	int r;

	(void)state;
	assert_int_equal(pool_get(&cot, &lines.log, &pool), 0);
	pool->sockets = calloc(1, sizeof(*pool->sockets));
	pool->owners = calloc(1, sizeof(struct transfer *));
	assert_true(pool->sockets && pool->owners);
	pool->sockets[0] = (struct pollfd){.fd = -1};
	pool->n_sockets = pool->max_sockets = 1;
	cot_wake_at(&cot, now_us());
	assert_int_equal(cot_wait(&cot), 0);
	assert_false(pool->broken);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0; /* poll() then takes no descriptor at all */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = cot_wait(&cot);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, 0);
	assert_true(pool->broken);
	pool_unref(pool);
	cot_done(&cot);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_libcurl),     cmocka_unit_test(test_references),
		cmocka_unit_test(test_foreign_waiter), cmocka_unit_test(test_transfers),
		cmocka_unit_test(test_wait),           cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
