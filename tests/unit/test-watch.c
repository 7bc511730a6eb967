/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Being told of a folder's changes, by the kernel, or without its help. What it means for keys is in test-store.c. */
#include "tang/server/watch.h"

#include "tests/unit/root.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/syscall.h>

/* What the kernel gives instead of inotify. */
static enum { REAL, NONE, PIPE } kind;
static int pipe_fds[2] = {-1, -1};

int inotify_init1(int flags)
{
	switch (kind) {
	case REAL:
		return (int)syscall(SYS_inotify_init1, flags);
	case PIPE:
		return pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC) < 0 ? -1 : pipe_fds[0];
	default:
		errno = EMFILE;
		return -1;
	}
}

static unsigned called;
static uint64_t wanted; /* what the callback returns */

static uint64_t count(void *arg)
{
	(void)__atomic_fetch_add((unsigned *)arg, 1, __ATOMIC_RELAXED);
	return __atomic_load_n(&wanted, __ATOMIC_RELAXED);
}

static unsigned calls(void)
{
	return __atomic_load_n(&called, __ATOMIC_RELAXED);
}

static struct watch *started(void)
{
	struct watch *watch = NULL;

	called = 0;
	wanted = 0;
	assert_int_equal(watch_start(root, count, &called, &watch), 0);
	return watch;
}

/* Waits for call number n; returns after how many milliseconds. */
static uint64_t wait_for(unsigned n)
{
	uint64_t begin = now_us();

	while (calls() < n) {
		assert_true(now_us() - begin < 10 * (uint64_t)USEC_PER_SEC);
		(void)usleep(200);
	}
	return (now_us() - begin) / USEC_PER_MSEC;
}

static int begin(void **state)
{
	(void)state;
	kind = REAL;
	memcpy(root + strlen(root) - 6, "XXXXXX", 6);
	return root_begin();
}

static void test_told(void **state)
{
	struct watch *watch = started();

	(void)state;
	(void)wait_for(1);
	put("/a.jwk", "x");
	assert_true(wait_for(2) < 900);
	watch_stop(watch);
}

/* Many changes, each before the last is over, are one, but not for ever. */
static void test_debounced(void **state)
{
	struct watch *watch = started();
	uint64_t begin;

	(void)state;
	(void)wait_for(1);
	for (begin = now_us(); now_us() - begin < USEC_PER_SEC;) {
		put("/a.jwk", "x");
		(void)usleep(2000);
	}
	assert_true(calls() >= 3 && calls() <= 7);
	watch_stop(watch);
}

/* A record that is written each second beside the keys has nobody read them each second. */
static void test_other_files(void **state)
{
	struct watch *watch = started();

	(void)state;
	(void)wait_for(1);
	for (int i = 0; i < 25; i++) {
		put("/usage.json", "x");
		(void)usleep(100 * 1000);
	}
	assert_int_equal(calls(), 1);
	watch_stop(watch);
}

static void test_wanted(void **state)
{
	struct watch *watch = started();

	(void)state;
	(void)wait_for(1);
	__atomic_store_n(&wanted, 20 * USEC_PER_MSEC, __ATOMIC_RELAXED);
	put("/a.jwk", "x");
	assert_true(wait_for(6) < 1000);
	watch_stop(watch);
}

static void test_without_inotify(void **state)
{
	struct watch *watch;

	(void)state;
	kind = NONE;
	watch = started();
	(void)wait_for(1);
	put("/a.jwk", "x");
	assert_true(wait_for(2) < 1500);
	watch_stop(watch);
}

/* More happened than the kernel could keep. */
static void test_overflow(void **state)
{
	const struct inotify_event event = {.wd = -1, .mask = IN_Q_OVERFLOW};
	struct watch *watch;

	(void)state;
	kind = PIPE;
	watch = started();
	(void)wait_for(1);
	assert_int_equal(write(pipe_fds[1], &event, sizeof(event)), sizeof(event));
	assert_true(wait_for(2) < 900);
	watch_stop(watch);
	(void)close(pipe_fds[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, remove_root)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_told),   TEST(test_debounced),       TEST(test_other_files),
		TEST(test_wanted), TEST(test_without_inotify), TEST(test_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
