/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs of others: pins and commands that are called clevis-NAME somewhere on PATH. */
#pragma once

#include "crypto/buf.h"

#include <poll.h>
#include <sys/types.h>

/*
 * The first executable on PATH called "clevis-" and `name`, in memory that the caller frees. Links to this
 * very program are passed over, so that nothing calls itself without end. NULL: there is none.
 */
char *external_find(const char *name);

/* Becomes that program, argv being what follows its name; returns only where it cannot be run. */
void external_exec(const char *path, char **argv);

/* The same without arguments, `input` being its standard input. It is public, and ends up in memory alone. */
void external_exec_input(const char *path, struct ref input);

/* A program on its way, of which a zeroed struct is none. What it reads and writes crosses pipes alone. */
struct external {
	pid_t pid;
	int to, from; /* its standard input and output; 0: closed */
	struct ref input;
	struct buf output;
};

/*
 * Starts it with these arguments, of which the first is its name. `input` is borrowed until the end; more
 * than `output_max` bytes of output are an error. SIGPIPE must be ignored, as it need not read all. Errors:
 * -ENOENT (it cannot be run), -ENOMEM, -EIO.
 */
MUST int external_start(const char *path, char *const *argv, struct ref input, size_t output_max,
			struct external *ret);

/*
 * Moves what can be moved now. 0: it has ended well, and `output` is all that it wrote; -EINPROGRESS; -EIO: it
 * failed, or so did a pipe; -E2BIG.
 */
MUST int external_step(struct external *external);

/* Sleeps until a step is worth it, or until_us. Errors: -EINTR. */
MUST int external_wait(const struct external *external, uint64_t until_us);

/* Ends it where it has not, and wipes what it wrote. */
void external_done(struct external *external);
