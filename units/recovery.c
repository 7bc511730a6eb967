/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps a volume's tokens, and believes a passphrase once it has opened the volume. */
#include "units/recovery.h"

#include "token/report.h"

#include <errno.h>

static bool takes_part(const struct recovery *recovery, size_t i)
{
	return !recovery->only || recovery->only == &recovery->volume->tokens[i];
}

void recovery_begin(struct recovery *recovery, struct cot *cot, const struct volume *volume,
		    const struct token *only)
{
	recovery->volume = volume;
	recovery->cot = cot;
	recovery->only = only;
	recovery->n = volume->n;
	/* One that cannot begin has failed, and says so. */
	for (size_t i = 0; i < volume->n; i++)
		if (takes_part(recovery, i))
			(void)!job_init(&recovery->jobs[i], cot, &volume->tokens[i].jwe);
}

void recovery_done(struct recovery *recovery)
{
	for (size_t i = 0; i < recovery->n; i++)
		if (takes_part(recovery, i))
			job_done(&recovery->jobs[i]);
	recovery->n = 0;
}

static int step_token(struct recovery *recovery, size_t i, struct buf *ret)
{
	CLEANUP(buf_done) struct buf secret = {0};
	struct job *job = &recovery->jobs[i];

	if (job->result != -EINPROGRESS)
		return job->result;
	if (job_step(recovery->cot, job, &secret) < 0)
		return job->result;
	if (!volume_opens(recovery->volume, &recovery->volume->tokens[i], buf_ref(&secret))) {
		job->result =
			log_err(&job->log, -EBADMSG, "what was recovered opens no keyslot of it");
		return job->result;
	}
	*ret = TAKE_STRUCT(secret);
	return 0;
}

int recovery_step(struct recovery *recovery, struct buf *ret, int *ret_id)
{
	bool pending = false, may_pass = false;

	for (size_t i = 0; i < recovery->n; i++) {
		int r = takes_part(recovery, i) ? step_token(recovery, i, ret) : -ENOENT;

		if (r == 0) {
			*ret_id = recovery->volume->ids[i];
			return 0;
		}
		pending = pending || r == -EINPROGRESS;
		may_pass = may_pass || pin_may_pass(r);
	}
	if (pending)
		return -EINPROGRESS;
	return may_pass ? -EAGAIN : recovery_wants_pin(recovery) ? -ENOANO : -ENOENT;
}

const struct token *recovery_wants_pin(const struct recovery *recovery)
{
	for (size_t i = 0; i < recovery->n; i++)
		if (takes_part(recovery, i) && recovery->jobs[i].result == -ENOANO)
			return &recovery->volume->tokens[i];
	return NULL;
}

void recovery_report(const struct recovery *recovery, const struct log *log)
{
	for (size_t i = 0; i < recovery->n; i++)
		if (takes_part(recovery, i))
			report_failure(log, &recovery->jobs[i]);
}
