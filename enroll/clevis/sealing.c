/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs pins for the commands. */
#include "enroll/clevis/sealing.h"

#include "enroll/card-pin.h"
#include "enroll/clevis/trust.h"
#include "enroll/clevis/typed.h"
#include "token/report.h"
#include "token/token.h"

#include <errno.h>

static uint64_t deadline(void)
{
	return now_us() + (uint64_t)TOKEN_DEADLINE_DEFAULT * USEC_PER_SEC;
}

int sealing_run(const struct sealing *wish, struct ref secret, const struct log *log,
		struct jwe *ret)
{
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = pins,
		.log = log,
		.deadline_us = deadline(),
		.confirm = wish->yes ? trust_all : trust_ask,
		.confirm_arg = (void *)(uintptr_t)log,
	};

	struct card_pins cards = {0};
	int r;

	r = card_pins_look(wish->pin, wish->config, log, &cards);
	if (r == 0 && cards.typed && !typed_pin().p)
		r = typed_pin_ask(log);
	if (r < 0)
		return r;
	cot.user_pin = typed_pin();
	cot.deadline_us = deadline(); /* without the time that it took to type */
	return pin_seal(&cot, wish->pin, wish->config, secret, ret);
}

int sealing_open(struct ref text, const struct log *log, struct buf *ret)
{
	return sealing_open_by(text, deadline(), log, ret);
}

/* With what was typed so far. Nothing is said of a PIN that is still to be asked for. */
static int open_once(struct ref text, uint64_t deadline_us, const struct log *log, struct buf *ret)
{
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = pins, .log = log, .deadline_us = deadline_us, .user_pin = typed_pin()};
	CLEANUP(job_done) struct job job = {0};
	int r;

	job_init_text(&job, &cot, text);
	r = job.result;
	if (r == -EINPROGRESS)
		r = pin_recover(&cot, &job, ret);
	if (r == -ENOANO && typed_pin().p)
		typed_pin_forget();
	if (r < 0 && !(r == -ENOANO && typed_pin_possible()))
		report_failure(log, &job);
	return r;
}

int sealing_open_by(struct ref text, uint64_t deadline_us, const struct log *log, struct buf *ret)
{
	int r = open_once(text, deadline_us, log, ret);
	uint64_t began_us = now_us();

	if (r != -ENOANO || !typed_pin_possible())
		return r;
	r = typed_pin_ask(log);
	return r < 0 ? r : open_once(text, deadline_us + (now_us() - began_us), log, ret);
}
