/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hardens a program of ours. */
#include "crypto/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Keeps secrets out of swap and core files as far as this user may. */
static void harden(void)
{
	struct rlimit none = {0}, all = {RLIM_INFINITY, RLIM_INFINITY}, memory = {0};

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)umask(077);

	/* Under a limit, locking would make a later allocation fail, as that of Argon2. */
	(void)setrlimit(RLIMIT_MEMLOCK, &all);
	if (getrlimit(RLIMIT_MEMLOCK, &memory) == 0 && memory.rlim_cur == RLIM_INFINITY)
		(void)mlockall(MCL_CURRENT | MCL_FUTURE);
}

/*
 * A standard stream that is closed would leave its number to the device that is opened next, and
 * messages would go into its header. What is put there instead fails as the closed one would.
 */
static int occupy_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return -EBADF;
	return 0;
}

int process_begin(void)
{
	if (occupy_streams() < 0)
		return -EBADF;
	harden();
	/* tpm2-tss writes to stderr what we say in a sentence of our own. */
	(void)setenv("TSS2_LOG", "all+none", 0);
	return 0;
}
