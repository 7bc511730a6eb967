/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cotter-enroll: what the process must not leak, and the table of what it does. */
#include "enroll/help.h"
#include "enroll/luks.h"
#include "enroll/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static enum exit_code (*const verbs[])(const struct options *, struct output *) = {
	[VERB_LIST] = verb_list,     [VERB_TEST] = verb_test,       [VERB_WIPE] = verb_wipe,
	[VERB_ENROLL] = verb_enroll, [VERB_DEVICES] = verb_devices, [VERB_EXPLAIN] = verb_explain,
};

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
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return -EBADF;
	return 0;
}

static enum exit_code run(const struct options *options, struct output *out)
{
	enum exit_code code;

	if (luks_setup(options->unlock_token, &out->log) < 0)
		return EXIT_CODE_FAILED;

	code = verbs[options->verb](options, out);
	if (output_result(out, options, code == EXIT_CODE_OK) < 0)
		return EXIT_CODE_FAILED;
	return code;
}

static enum exit_code print(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) == EOF ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

int main(int argc, char **argv)
{
	CLEANUP(output_done) struct output out = {0};
	CLEANUP(options_done) struct options options = {0};

	if (occupy_streams() < 0)
		return EXIT_CODE_FAILED;
	harden();
	(void)setlocale(LC_CTYPE, "");
	/* A reader of our messages that goes away must not stop us halfway. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* A parent that ignores it would have the kernel reap our children before we can ask for them. */
	(void)signal(SIGCHLD, SIG_DFL);

	/* tpm2-tss writes to stderr what we say in a sentence of our own. */
	(void)setenv("TSS2_LOG", "all+none", 0);

	if (output_init(&out) < 0)
		return EXIT_CODE_FAILED;
	if (options_parse(argc, argv, &out.log, &options) < 0)
		return EXIT_CODE_USAGE;
	out.quiet = options.quiet;

	switch (options.verb) {
	case VERB_HELP:
		return (int)print(help_text);
	case VERB_VERSION:
		return (int)print("cotter-enroll " COTTER_VERSION "\n");
	default:
		return (int)run(&options, &out);
	}
}
