/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our own questions for a PIN, put to whoever asks people in systemd's name
 * (https://systemd.io/PASSWORD_AGENTS/), beside the questions for passphrases that we answer.
 */
#pragma once

#include "units/question.h"

/* A zeroed struct asks nothing. */
struct pin_question {
	bool open;
	int fd;                  /* readable once there is an answer */
	struct sockaddr_un from; /* where answers come to */
	char file[sizeof(QUESTION_FOLDER) + 32];
};

/* Whether a file of this name is one of them. */
bool pin_question_name(const char *name);

/* Removes those that an agent left which died; `folder` is open at theirs. */
void pin_question_sweep(int folder);

/* Asks. The text is shown as it is, but for control characters. Errors: -EIO. */
MUST int pin_question_ask(struct pin_question *question, const char *text);

/*
 * What was typed, in a new buffer, which is empty where that is nothing; the question is over then. Errors:
 * -EAGAIN (nothing yet), -ECANCELED (nobody wants to say, and the question is over), -ENOMEM.
 */
MUST int pin_question_take(struct pin_question *question, struct buf *ret);

void pin_question_done(struct pin_question *question);
