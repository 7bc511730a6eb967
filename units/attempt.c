/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recovers, again and again while it may yet succeed. */
#include "units/attempt.h"

#include <errno.h>
#include <poll.h>
#include <sys/random.h>

enum {
	ROUND_US = TOKEN_DEADLINE_DEFAULT * USEC_PER_SEC,
	PAUSE_MIN_US = 1 * USEC_PER_SEC,
	PAUSE_MAX_US = 32 * USEC_PER_SEC,
	PAUSE_CARD_US = 1 * USEC_PER_SEC,
};

void round_done(struct round *round)
{
	cot_done(&round->cot);
	round->begun = false;
}

void attempt_done(struct attempt *attempt)
{
	recovery_done(&attempt->recovery);
	volume_free(attempt->volume);
	attempt->volume = NULL;
}

bool attempt_running(const struct attempt *attempt)
{
	return attempt->recovery.n > 0;
}

uint64_t attempt_next_us(const struct attempt *attempt)
{
	return attempt->over || attempt_running(attempt) ? UINT64_MAX : attempt->next_us;
}

/* Up to half of it off, so that many machines do not come at the same moment. */
static uint64_t with_jitter(uint64_t us)
{
	uint32_t random = 0;

	(void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
	return us - us / 2 * random / UINT32_MAX;
}

/* To look for a card costs nobody anything, and somebody stands there with it. */
static void pause_attempt(struct attempt *attempt)
{
	uint64_t us = PAUSE_MIN_US;

	for (unsigned i = 1; i < attempt->tries && us < PAUSE_MAX_US; i++)
		us *= 2;
	if (attempt->waits_for_card && !attempt->wants_pin)
		us = PAUSE_CARD_US;
	attempt->next_us = now_us() + with_jitter(us);
}

int attempt_step(struct round *round, struct attempt *attempt, struct buf *ret, int *ret_id)
{
	int r = recovery_step(&attempt->recovery, ret, ret_id);

	if (r == -EINPROGRESS)
		return r;
	if (r < 0 && (attempt->tries == 1 || r == -ENOENT || attempt->recovery.only))
		recovery_report(&attempt->recovery, round->log);
	attempt->wants_pin = recovery_wants_pin(&attempt->recovery);
	recovery_done(&attempt->recovery);
	attempt->over = r != -EAGAIN;
	pause_attempt(attempt);
	return r;
}

static int begin(struct round *round, struct attempt *attempt, const struct token *only,
		 struct ref pin, struct buf *ret, int *ret_id)
{
	if (!round->begun)
		round->cot = (struct cot){.pins = pins, .log = round->log};
	round->begun = true;
	round->cot.network = false;
	round->cot.user_pin = pin;
	round->cot.deadline_us = now_us() + ROUND_US;
	attempt->tries++;
	recovery_begin(&attempt->recovery, &round->cot, attempt->volume, only);
	return attempt_step(round, attempt, ret, ret_id);
}

int attempt_begin(struct round *round, struct attempt *attempt, struct buf *ret, int *ret_id)
{
	return begin(round, attempt, NULL, (struct ref){0}, ret, ret_id);
}

int attempt_begin_pin(struct round *round, struct attempt *attempt, const struct token *token,
		      struct ref pin, struct buf *ret, int *ret_id)
{
	return begin(round, attempt, token, pin, ret, ret_id);
}

void attempt_stop(struct attempt *attempt)
{
	recovery_done(&attempt->recovery);
	attempt->next_us = 0;
}

void round_go_on(struct round *round)
{
	round->cot.network = true;
}

void round_end(struct round *round)
{
	if (round->begun)
		round_done(round);
}

int round_wait(struct round *round, int fd)
{
	struct pollfd alarm = {.fd = fd, .events = POLLIN};
	int r;

	round->cot.alarm = &alarm;
	r = cot_wait(&round->cot);
	round->cot.alarm = NULL;
	return r;
}
