/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs pins for the commands. */
#include "enroll/clevis/sealing.h"

#include "enroll/clevis/trust.h"
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

	return pin_seal(&cot, wish->pin, wish->config, secret, ret);
}

int sealing_open(struct ref text, const struct log *log, struct buf *ret)
{
	return sealing_open_by(text, deadline(), log, ret);
}

int sealing_open_by(struct ref text, uint64_t deadline_us, const struct log *log, struct buf *ret)
{
	CLEANUP(cot_done)
	struct cot cot = {.pins = pins, .log = log, .deadline_us = deadline_us};
	CLEANUP(job_done) struct job job = {0};
	int r;

	job_init_text(&job, &cot, text);
	r = job.result;
	if (r == -EINPROGRESS)
		r = pin_recover(&cot, &job, ret);
	if (r < 0)
		report_failure(log, &job);
	return r;
}
