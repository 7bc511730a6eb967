/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding programs on PATH, and what becomes of those that are run. */
#include "enroll/clevis/external.h"

#include "tests/unit/foreign.h"
#include "tests/unit/programs.h"

#include <signal.h>

static int begin(void **state)
{
	char path[128];

	(void)state;
	programs_begin();
	(void)signal(SIGPIPE, SIG_IGN);
	programs_add("upper", "tr a-z A-Z", 0700);
	programs_add("plain", "cat", 0600);
	programs_add("fails", "cat; exit 3", 0700);
	programs_add("deaf", "exec <&-; echo done", 0700);
	programs_add("much", "cat /dev/zero", 0700);
	programs_add("slow", "exec sleep 1000", 0700);
	programs_path("self", path, sizeof(path));
	assert_int_equal(symlink("/proc/self/exe", path), 0);
	programs_path("folder", path, sizeof(path));
	return mkdir(path, 0700);
}

static int end(void **state)
{
	(void)state;
	programs_end();
	return 0;
}

static void test_find(void **state)
{
	static const char *const missing[] = {"plain", "self", "folder", "none", "", "../upper"};
	CLEANUP(free_text) char *found = external_find("upper");
	char want[128];

	(void)state;
	programs_path("upper", want, sizeof(want));
	assert_non_null(found);
	assert_string_equal(found, want);
	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		assert_null(external_find(missing[i]));
}

/* Runs it to its end. */
static int run(const char *name, struct ref input, size_t output_max, struct external *e)
{
	CLEANUP(free_text) char *path = external_find(name);
	char *argv[] = {path, NULL};
	int r;

	assert_non_null(path);
	r = external_start(path, argv, input, output_max, e);
	if (r == 0)
		while ((r = external_step(e)) == -EINPROGRESS)
			assert_int_equal(external_wait(e, now_us() + USEC_PER_SEC), 0);
	return r;
}

static void test_run(void **state)
{
	CLEANUP(external_done) struct external e = {0};

	(void)state;
	assert_int_equal(run("upper", ref_str("some text"), 9, &e), 0);
	assert_true(ref_is(buf_ref(&e.output), "SOME TEXT"));
	external_done(&e);
	assert_int_equal(run("upper", (struct ref){0}, 9, &e), 0);
	assert_int_equal(e.output.n, 0);
}

/* More than the pipes take at once, in both directions. */
static void test_run_large(void **state)
{
	CLEANUP(external_done) struct external e = {0};
	CLEANUP(buf_done) struct buf large = {0};

	(void)state;
	assert_int_equal(buf_init(&large, 1000000), 0);
	memset(large.p, 'X', large.cap);
	large.n = large.cap;
	assert_int_equal(run("upper", buf_ref(&large), large.n, &e), 0);
	assert_true(ref_equal(buf_ref(&e.output), buf_ref(&large)));
	external_done(&e);

	/* One that reads nothing may be well all the same. */
	assert_int_equal(run("deaf", buf_ref(&large), 16, &e), 0);
	assert_true(ref_is(buf_ref(&e.output), "done\n"));
}

static void test_run_fails(void **state)
{
	CLEANUP(external_done) struct external e = {0};
	char *argv[] = {(char[]){"none"}, NULL};

	(void)state;
	assert_int_equal(run("fails", ref_str("some text"), 100, &e), -EIO);
	external_done(&e);
	assert_int_equal(run("upper", ref_str("some text"), 8, &e), -E2BIG);
	external_done(&e);
	assert_int_equal(run("much", (struct ref){0}, 1000, &e), -E2BIG);
	external_done(&e);
	if (!emulated())
		assert_int_equal(external_start("/nonexistent", argv, (struct ref){0}, 8, &e),
				 -ENOENT);
}

/* One that is given up is ended. */
static void test_give_up(void **state)
{
	CLEANUP(external_done) struct external e = {0};
	CLEANUP(free_text) char *path = external_find("slow");
	char *argv[] = {path, NULL};
	pid_t pid;

	(void)state;
	assert_int_equal(external_start(path, argv, (struct ref){0}, 8, &e), 0);
	assert_int_equal(external_step(&e), -EINPROGRESS);
	pid = e.pid;
	external_done(&e);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(e.pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),      cmocka_unit_test(test_run),
		cmocka_unit_test(test_run_large), cmocka_unit_test(test_run_fails),
		cmocka_unit_test(test_give_up),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
