/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions for the passphrase of a volume, as systemd puts them to password agents: files "ask.*"
 * in one folder, each with a socket for answers (https://systemd.io/PASSWORD_AGENTS/).
 */
#pragma once

#include "crypto/buf.h"

#include <sys/types.h>
#include <sys/un.h>

#define QUESTION_FOLDER "/run/systemd/ask-password"

enum { QUESTION_TEXT_MAX = 3072, QUESTION_DEVICE_MAX = 1024 };

struct question {
	char device[QUESTION_DEVICE_MAX]; /* that the volume is on, as crypttab names it */
	struct sockaddr_un to;            /* where answers go */
	uint64_t not_after_us;            /* CLOCK_MONOTONIC; 0: it has no end */
	pid_t pid;                        /* of whoever asks; 0: not said */
};

/* Whether a file of this name is a question. */
bool question_name(const char *name);

/*
 * Reads the text of such a file. Errors: -ENOENT (not about the passphrase of a volume), -EBADMSG (not
 * a question).
 */
MUST int question_parse(struct ref text, struct question *ret);

/*
 * Reads the file `name` in the folder that `folder` is open at, where it is root's own. Errors: those of
 * question_parse(), -ENOENT (it is gone), -EPERM (somebody else's).
 */
MUST int question_read(int folder, const char *name, struct question *ret);

/* Whether somebody still waits for the answer. */
bool question_open(const struct question *question);

/* Gives the answer. Errors: -EIO (nobody listens any more). */
MUST int question_answer(const struct question *question, struct ref passphrase);
