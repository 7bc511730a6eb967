/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals that are held: noted, waited for, and let go at the end. */
#include "enroll/signals.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const int held_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
	handled = number;
}

/* How a process that does this ends or stops: its exit status, or the signal's number negated. */
static int ends(int (*work)(int number), int number)
{
	const struct rlimit no_core = {0};
	pid_t child = fork();
	int status = 0, stopped_by;

	assert_true(child >= 0);
	if (child == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core);
		(void)setpgid(0,
			      0); /* so that its parent could continue it: else it does not stop */
		_exit(work(number));
	}
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	if (!WIFSTOPPED(status))
		return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
	stopped_by = WSTOPSIG(status);
	assert_int_equal(kill(child, SIGCONT), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? -stopped_by : 255;
}

static int only_hold(int number)
{
	struct signals held;

	signals_hold(&held, number == SIGTSTP);
	if (signals_came(&held))
		return 1;
	(void)raise(number);
	if (!signals_came(&held))
		return 2;
	signals_release(&held);
	return 0;
}

static int wait_and_release(int number)
{
	struct signals held;
	int pipes[2];

	if (pipe(pipes) < 0)
		return 1;
	signals_hold(&held, number == SIGTSTP);
	(void)raise(number);
	if (signals_poll(&held, pipes[0]) != -EINTR || !signals_came(&held))
		return 2;
	if (signals_poll(&held, pipes[0]) != -EINTR) /* once it was noted, it stays so */
		return 3;
	signals_release(&held);
	return 0;
}

/* The end comes at the release, however the signal was held. */
static void test_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(held_signals); i++) {
		assert_int_equal(ends(only_hold, held_signals[i]), -held_signals[i]);
		assert_int_equal(ends(wait_and_release, held_signals[i]), -held_signals[i]);
	}
	assert_int_equal(ends(only_hold, SIGTSTP), -SIGTSTP);
	assert_int_equal(ends(wait_and_release, SIGTSTP), -SIGTSTP);
}

static int hold_but_not_stops(int number)
{
	struct signals held;

	signals_hold(&held, false);
	(void)raise(number); /* stops here */
	if (signals_came(&held))
		return 1;
	signals_release(&held);
	return 0;
}

static void test_stop_is_not_held(void **state)
{
	(void)state;
	assert_int_equal(ends(hold_but_not_stops, SIGTSTP), -SIGTSTP);
}

/* A parent that ignores them (nohup) wants them ignored. */
static int ignored(int number)
{
	struct sigaction action;
	struct signals held;
	int pipes[2];

	(void)signal(number, SIG_IGN);
	if (pipe(pipes) < 0 || write(pipes[1], "x", 1) != 1)
		return 1;
	signals_hold(&held, true);
	(void)raise(number);
	if (signals_came(&held))
		return 2;
	if (signals_poll(&held, pipes[0]) != 0 || signals_came(&held))
		return 3;
	signals_release(&held);
	(void)sigaction(number, NULL, &action);
	return action.sa_handler == SIG_IGN ? 0 : 4;
}

static void test_ignored(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(held_signals); i++)
		assert_int_equal(ends(ignored, held_signals[i]), 0);
}

/* Handlers and mask are put back, and the signal goes to whoever handled it before. */
static void test_put_back(void **state)
{
	const struct sigaction action = {.sa_handler = on_signal};
	struct sigaction before, after;
	struct signals held;
	sigset_t mask, mask_after;

	(void)state;
	assert_int_equal(sigaction(SIGTERM, &action, &before), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
	for (int times = 0; times < 2; times++) {
		handled = 0;
		signals_hold(&held, true);
		assert_false(signals_came(&held));
		(void)raise(SIGTERM);
		assert_int_equal(handled, 0);
		assert_true(signals_came(&held));
		signals_release(&held);
		assert_int_equal(handled, SIGTERM);

		assert_int_equal(sigaction(SIGTERM, NULL, &after), 0);
		assert_ptr_equal(after.sa_handler, on_signal);
		assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask_after), 0);
		for (size_t i = 0; i < ARRAY_SIZE(held_signals); i++)
			assert_int_equal(sigismember(&mask_after, held_signals[i]),
					 sigismember(&mask, held_signals[i]));
	}
	assert_int_equal(sigaction(SIGTERM, &before, NULL), 0);

	/* nothing came, so nothing happens */
	signals_hold(&held, true);
	assert_false(signals_came(&held));
	signals_release(&held);
}

static void test_poll(void **state)
{
	struct signals held;
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	signals_hold(&held, false);
	assert_int_equal(signals_poll(&held, pipes[0]), 0);
	signals_release(&held);

	(void)close(pipes[1]);
	signals_hold(&held, false);
	assert_int_equal(signals_poll(&held, pipes[0]), 0); /* its end can be read */
	signals_release(&held);
	(void)close(pipes[0]);
}

static int pipes[2];

/* The kernel calls it in the middle of the wait; only then is there something to read. */
static void on_other_signal(int number)
{
	handled = number;
	(void)!write(pipes[1], "x", 1);
}

/* A signal that is not held is no reason to stop waiting. */
static void test_poll_goes_on(void **state)
{
	const struct sigaction action = {.sa_handler = on_other_signal};
	struct sigaction before;
	struct signals held;
	sigset_t other, mask;
	int r;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
	signals_hold(&held, false);
	(void)sigemptyset(&other);
	(void)sigaddset(&other, SIGUSR1);
	assert_int_equal(sigprocmask(SIG_BLOCK, &other, &mask), 0);
	(void)raise(SIGUSR1);
	r = signals_poll(&held, pipes[0]); /* whose mask does not hold it back */
	assert_false(signals_came(&held));
	signals_release(&held);

	assert_int_equal(r, 0);
	assert_int_equal(handled, SIGUSR1);
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

static void test_poll_fails(void **state)
{
	struct rlimit before, none;
	struct signals held;
	int r;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0; /* poll() then takes no descriptor at all */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	signals_hold(&held, false);
	r = signals_poll(&held, STDERR_FILENO);
	signals_release(&held);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EIO);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end),        cmocka_unit_test(test_stop_is_not_held),
		cmocka_unit_test(test_ignored),    cmocka_unit_test(test_put_back),
		cmocka_unit_test(test_poll),       cmocka_unit_test(test_poll_goes_on),
		cmocka_unit_test(test_poll_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
