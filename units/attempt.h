/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attempts to recover volumes' passphrases: all that are on their way share one run of the engine, a round,
 * and one that may yet succeed is made again. Knows neither who asks nor any event loop.
 */
#pragma once

#include "units/recovery.h"

/* Zero it, set log; end it with round_done(). It keeps its address. */
struct round {
	const struct log *log;
	struct cot cot;
	bool begun; /* cot is in use */
};

/* At one volume; a zeroed struct is none. It keeps its address. */
struct attempt {
	struct volume *volume;    /* its own */
	struct recovery recovery; /* the try that is on its way */
	bool over;                /* done, or no further try would help */
	bool waits_for_card;      /* and for nothing else that costs others anything to ask */
	const struct token
		*wants_pin; /* the volume's token that would open with a PIN; NULL: none */
	unsigned tries;
	uint64_t next_us; /* of the next try (CLOCK_MONOTONIC) */
};

void round_done(struct round *round);
void attempt_done(struct attempt *attempt);

bool attempt_running(const struct attempt *attempt);

/* When it should begin (CLOCK_MONOTONIC); UINT64_MAX: not at all, or it runs. */
uint64_t attempt_next_us(const struct attempt *attempt);

/*
 * Begins a try at attempt->volume and takes its first step. Local parts of what has just begun come first: they may
 * make the network needless, so no packet is sent before round_go_on(). Result as attempt_step().
 */
MUST int attempt_begin(struct round *round, struct attempt *attempt, struct buf *ret, int *ret_id);

/* The same for one token of the volume, with what a person typed, which is borrowed. */
MUST int attempt_begin_pin(struct round *round, struct attempt *attempt, const struct token *token,
			   struct ref pin, struct buf *ret, int *ret_id);

/* Stops a try that is on its way, as if it had not begun. */
void attempt_stop(struct attempt *attempt);

/*
 * Goes on with the try. 0: it recovered a passphrase that opens the volume, and this is over. Errors: -EINPROGRESS;
 * -EAGAIN (it failed, and another try will be due), -ENOANO (over, unless somebody types a PIN), -ENOENT (over). Why
 * it failed goes to the round's log, of tries that are made again the first time alone.
 */
MUST int attempt_step(struct round *round, struct attempt *attempt, struct buf *ret, int *ret_id);

/* What was begun may use the network from here on. */
void round_go_on(struct round *round);

/* Once nothing runs any more: nothing of a network that was is kept for the next round. */
void round_end(struct round *round);

/* Sleeps until the recoveries on their way moved, or `fd` is readable. Errors: -EINTR, -EIO. */
MUST int round_wait(struct round *round, int fd);
