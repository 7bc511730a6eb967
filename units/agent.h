/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers questions for passphrases as soon as the volumes' policies hold. All volumes recover in one
 * engine run; between its rounds nothing happens until a time or an event. Knows no event loop.
 */
#pragma once

#include "units/attempt.h"
#include "units/question.h"

struct ask;

/* Zero it, set round.log and the next two; end it with agent_done(). It keeps its address. */
struct agent {
	struct round round;
	int folder;                                       /* of questions, open; borrowed */
	void (*on_answer)(const char *device, int token); /* an answer was taken */
	int typed; /* an epoll(7) descriptor, ready when somebody typed a PIN that we asked for; borrowed */

	struct ask *asks;
	struct ask *turn;   /* the one whose PIN is being tried: no other try is on its way then */
	size_t n_questions; /* in the folder, whoever they are for, but for our own */
};

void agent_done(struct agent *agent);

/* Looks what is asked by now: to be called at the start and after each change of the folder. */
void agent_scan(struct agent *agent);

/* Something about the network or what is plugged in is new: whatever waits for another try does not wait longer. */
void agent_something_changed(struct agent *agent);

/* Goes on as far as that is possible without waiting: begins tries that are due, and gives answers. */
void agent_step(struct agent *agent);

/* Whether agent_wait() has something to wait for. */
bool agent_running(const struct agent *agent);

/* When agent_step() should be called again where nothing runs (CLOCK_MONOTONIC); UINT64_MAX: not at all. */
uint64_t agent_next_us(const struct agent *agent);

/* Sleeps until the recoveries on their way moved, or `fd` is readable. Errors: -EINTR, -EIO. */
MUST int agent_wait(struct agent *agent, int fd);
