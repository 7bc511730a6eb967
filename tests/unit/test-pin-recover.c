/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recovery by pins: who may send when, what ends it, and what is told of it. */
#include "crypto/pin.h"

#include "tests/unit/vectors/fake-pin.h"

#include <signal.h>
#include <sys/time.h>

static void test_local_pin_sends_nothing(void **state)
{
	(void)state;
	prepare("local");
	assert_int_equal(recover(), 0);
	assert_int_equal(fake.calls, 1);
	assert_false(fake.saw_network);
	assert_told("recovery", &run.lines, NULL);
	job_done(&run.job);
	assert_int_equal(fake.releases, 1);
}

/* A device that is not there yet: no waiter, only times to look again. */
static void test_local_pin_of_several_steps(void **state)
{
	(void)state;
	fake.steps = 3;
	fake.wake_in_us = USEC_PER_MSEC;
	prepare("local");
	assert_int_equal(recover(), 0);
	assert_int_equal(fake.calls, 4);
}

static void test_network_pin(void **state)
{
	(void)state;
	for (unsigned steps = 0; steps < 4; steps++) {
		(void)begin(NULL);
		fake.steps = steps;
		fake.has_waiter = true;
		prepare("net");
		run.cot.network = true; /* left over from what came before */
		assert_int_equal(recover(), 0);
		assert_int_equal(fake.calls_without_network, 1);
		assert_int_equal(fake.calls, steps + 2);
		assert_int_equal(waiter.waits, steps);
		if (steps > 0)
			assert_int_equal(waiter.until_us, run.cot.deadline_us);
		(void)end(NULL);
		assert_int_equal(waiter.releases, 1);
		assert_int_equal(fake.releases, 1);
	}
}

static void test_failures(void **state)
{
	/*
	 * provokes: pin_recover -EBADMSG -EPROTO -EKEYREJECTED -ENETUNREACH -EHOSTUNREACH -ECONNREFUSED -ENODEV
	 * provokes: pin_recover -ENOANO -EINTR -EOPNOTSUPP -E2BIG -ENOMEM -EIO
	 */
	static const int errors[] = {-EBADMSG,      -EPROTO,       -EKEYREJECTED, -ENETUNREACH,
				     -EHOSTUNREACH, -ECONNREFUSED, -ETIMEDOUT,    -ENODEV,
				     -ENOANO,       -EINTR,        -EOPNOTSUPP,   -E2BIG,
				     -ENOMEM,       -EIO};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors) * 2; i++) {
		char why[64];

		(void)begin(NULL);
		fake.result = errors[i / 2];
		fake.steps = 1;
		fake.wake_in_us = 1;
		prepare(i % 2 ? "net" : "local");
		assert_int_equal(recover(), fake.result);
		(void)snprintf(why, sizeof(why), "the fake pin failed with %d", fake.result);
		assert_string_equal(run.job.why, why); /* the last line */

		/* The owner decides whether this is an error at all; the details are for DEBUG. */
		assert_told("recovery", &run.lines, NULL);
		assert_non_null(strstr(run.lines.debug, "step 2"));
		(void)end(NULL);
		assert_int_equal(fake.releases, 1);
	}
}

static void test_key_that_does_not_open(void **state)
{
	(void)state;
	prepare("net");
	fake.wrong_key = true;
	assert_int_equal(recover(), -EBADMSG);
	assert_non_null(strstr(run.job.why, "net"));
}

/* A pin's bug; the caller still gets one of the errors that it knows. */
static void test_key_of_wrong_length(void **state)
{
	static const size_t sizes[] = {0, 16, 31, 33, 64};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		(void)begin(NULL);
		prepare("local");
		fake.key_size = sizes[i];
		expect_refused("recovery", recover());
		assert_string_not_equal(run.job.why, "");
		(void)end(NULL);
	}
}

/* However a pin dawdles, with a waiter or without. */
static void test_deadline(void **state)
{
	static const uint64_t wakes[] = {0, 1, USEC_PER_MSEC, 60 * (uint64_t)USEC_PER_SEC};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wakes) * 2; i++) {
		uint64_t began;

		(void)begin(NULL);
		fake.steps = UINT32_MAX;
		fake.wake_in_us = wakes[i / 2];
		prepare(i % 2 ? "net" : "local");
		began = now_us();
		run.cot.deadline_us = began + 20 * USEC_PER_MSEC;
		assert_int_equal(recover(), -ETIMEDOUT);
		assert_string_not_equal(run.job.why, "");
		assert_true(now_us() >= run.cot.deadline_us);
		assert_true(now_us() < began + 10 * USEC_PER_SEC);
		(void)end(NULL);
	}
}

static void test_deadline_long_past(void **state)
{
	(void)state;
	fake.steps = UINT32_MAX;
	prepare("net");
	run.cot.deadline_us = 0;
	assert_int_equal(recover(), -ETIMEDOUT);
	assert_true(fake.calls <= 3);
}

static void test_interrupted_waiter(void **state)
{
	(void)state;
	fake.steps = UINT32_MAX;
	fake.has_waiter = true;
	waiter.result = -EINTR;
	prepare("net");
	assert_int_equal(recover(), -EINTR);
	assert_int_equal(waiter.waits, 1);
	assert_int_equal(fake.calls, 2);
	assert_string_not_equal(run.job.why, "");
}

static void ignore_signal(int number)
{
	(void)number;
}

/* Sleeping without a waiter ends at a signal too. It comes again and again: none is lost. */
static void test_interrupted_sleep(void **state)
{
	const struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
	const struct sigaction action = {.sa_handler = ignore_signal};
	struct sigaction before;

	(void)state;
	fake.steps = UINT32_MAX;
	prepare("local");
	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	assert_int_equal(recover(), -EINTR);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
	assert_true(now_us() < run.cot.deadline_us);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_local_pin_sends_nothing, begin, end),
		cmocka_unit_test_setup_teardown(test_local_pin_of_several_steps, begin, end),
		cmocka_unit_test_setup_teardown(test_network_pin, begin, end),
		cmocka_unit_test_setup_teardown(test_failures, begin, end),
		cmocka_unit_test_setup_teardown(test_key_that_does_not_open, begin, end),
		cmocka_unit_test_setup_teardown(test_key_of_wrong_length, begin, end),
		cmocka_unit_test_setup_teardown(test_deadline, begin, end),
		cmocka_unit_test_setup_teardown(test_deadline_long_past, begin, end),
		cmocka_unit_test_setup_teardown(test_interrupted_waiter, begin, end),
		cmocka_unit_test_setup_teardown(test_interrupted_sleep, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
