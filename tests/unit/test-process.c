/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a program does about itself: its streams are taken, and nothing of it is left in a core file. */
#include "crypto/process.h"

#include "tests/unit/vectors/jose.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What `check` finds in a process of its own, which it may change as it likes. */
static void in_child(int (*check)(void))
{
	int status;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		exit(check());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The number of the first that does not hold. */
static int check_hardened(void)
{
	struct rlimit core;

	if (unsetenv("TSS2_LOG") < 0 || process_begin() < 0)
		return 1;
	if (prctl(PR_GET_DUMPABLE) != 0)
		return 2;
	if (getrlimit(RLIMIT_CORE, &core) < 0 || core.rlim_max != 0)
		return 3;
	if (umask(0) != 077)
		return 4;
	return strcmp(getenv("TSS2_LOG"), "all+none") == 0 ? 0 : 5;
}

/* A person's own wish about the log is left alone. */
static int check_log(void)
{
	if (setenv("TSS2_LOG", "all+error", 1) < 0 || process_begin() < 0)
		return 1;
	return strcmp(getenv("TSS2_LOG"), "all+error") == 0 ? 0 : 2;
}

/* Whoever writes to the input or reads from the outputs fails, as before. */
static int check_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (close(fd) < 0)
			return 1;
	if (process_begin() < 0)
		return 2;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if ((fcntl(fd, F_GETFL) & O_ACCMODE) != (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY))
			return 3;
	return open("/dev/null", O_RDONLY) == STDERR_FILENO + 1 ? 0 : 4;
}

static void test_hardened(void **state)
{
	(void)state;
	in_child(check_hardened);
	in_child(check_log);
}

static void test_streams(void **state)
{
	(void)state;
	in_child(check_streams);
}

/* No file can be opened in its place. */
static void test_stream_cannot_be_taken(void **state)
{
	struct rlimit before, none;
	int kept = dup(STDIN_FILENO), r;

	(void)state;
	assert_true(kept >= 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(close(STDIN_FILENO), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = process_begin();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(close(kept), 0);

	assert_int_equal(r, -EBADF); /* provokes: process_begin -EBADF */
	assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hardened),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_stream_cannot_be_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
