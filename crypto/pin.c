/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs pins: the one loop that waits, and sealing with proof. */
#include "crypto/pin.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

void cot_done(struct cot *cot)
{
	if (cot->waiter)
		cot->waiter->release(cot->waiter);
	cot->waiter = NULL;
}

void cot_wake_at(struct cot *cot, uint64_t at_us)
{
	if (cot->wake_us == 0 || at_us < cot->wake_us)
		cot->wake_us = at_us;
}

int cot_refused(const struct cot *cot, uint64_t device)
{
	for (size_t i = 0; i < cot->n_refusals; i++)
		if (cot->refusals[i].device == device)
			return cot->refusals[i].error;
	/* Of more than can be remembered none is asked. */
	return cot->n_refusals < COT_REFUSALS_MAX ? 0 : -EKEYREJECTED;
}

void cot_refuse(struct cot *cot, uint64_t device, int error)
{
	if (cot->n_refusals < COT_REFUSALS_MAX)
		cot->refusals[cot->n_refusals++] = (struct refusal){device, error};
}

int cot_poll(struct pollfd *fds, size_t n, uint64_t until_us)
{
	/* A time_t may have 32 bits. */
	static const uint64_t longest_us = (uint64_t)INT32_MAX * USEC_PER_SEC;
	uint64_t now = now_us();
	uint64_t left = until_us > now ? until_us - now : 0;
	struct timespec ts;

	if (left > longest_us)
		left = longest_us;
	ts.tv_sec = (time_t)(left / USEC_PER_SEC);
	ts.tv_nsec = (long)(left % USEC_PER_SEC) * 1000;
	return ppoll(fds, n, &ts, NULL) < 0 ? -errno : 0;
}

int cot_wait(struct cot *cot)
{
	uint64_t until = cot->deadline_us;

	if (cot->wake_us != 0 && cot->wake_us < until)
		until = cot->wake_us;
	cot->wake_us = 0;

	if (cot->waiter)
		return cot->waiter->wait(cot->waiter, cot->alarm, until);
	if (cot->alarm)
		return cot_poll(&(struct pollfd){cot->alarm->fd, cot->alarm->events, 0}, 1, until);
	return cot_poll(NULL, 0, until);
}

const struct pin *pin_by_name(const struct pin *const *pins, const char *name)
{
	for (; *pins; pins++)
		if (strcmp((*pins)->name, name) == 0 ||
		    ((*pins)->stands_for && (*pins)->stands_for(name)))
			return *pins;
	return NULL;
}

bool pin_may_pass(int err)
{
	switch (err) {
	case -EINTR:
	case -ENODEV:
	case -ETIMEDOUT:
	case -ENETUNREACH:
	case -EHOSTUNREACH:
	case -ECONNREFUSED:
		return true;
	default:
		return false;
	}
}

const struct pin *pin_find(const struct pin *const *pins, const json_t *hdr)
{
	const char *name = js_str(json_object_get(hdr, "clevis"), "pin");

	return name ? pin_by_name(pins, name) : NULL;
}

int pin_check(const struct pin *const *pins, const json_t *hdr, const struct log *log,
	      const struct pin **ret)
{
	const char *name = js_str(json_object_get(hdr, "clevis"), "pin");
	const struct pin *pin = pin_find(pins, hdr);
	int r;

	if (!name)
		return log_err(log, -EBADMSG, "the protected header names no pin (clevis.pin)");
	if (!pin)
		return log_err(log, -EOPNOTSUPP, "the pin \"%.32s\" is not supported here", name);

	r = pin->check(pins, hdr, log);
	if (r < 0)
		return r;

	*ret = pin;
	return 0;
}

/* Keeps a leaf's ERROR line until it is certain that the whole recovery fails. */
static void job_sink(void *to, enum log_level level, const char *line)
{
	struct job *job = to;

	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(job->why, sizeof(job->why), "%s", line);
	(void)log_dbg(job->outer, 0, "%s", line);
}

static void job_begin(struct job *job, struct cot *cot)
{
	*job = (struct job){
		.outer = cot->log,
		.log = {.sink = job_sink, .to = job, .debug = cot->log && cot->log->debug},
		.result = -EINPROGRESS,
	};
}

int job_init(struct job *job, struct cot *cot, const struct jwe *jwe)
{
	const struct pin *pin;
	int r;

	job_begin(job, cot);
	job->jwe = jwe;
	job->pin = pin_find(cot->pins, jwe->hdr);
	r = pin_check(cot->pins, jwe->hdr, &job->log, &pin);
	if (r == 0) {
		job->state = calloc(1, pin->state_size ? pin->state_size : 1);
		if (!job->state)
			r = -ENOMEM;
	}
	if (r < 0)
		job->result = r;
	return r;
}

void job_init_text(struct job *job, struct cot *cot, struct ref text)
{
	struct jwe jwe = {0};
	int r;

	r = jwe_from_compact(text, &jwe);
	if (r < 0) {
		job_begin(job, cot);
		job->result = log_err(&job->log, r, "its JWE %s", jwe_explain(r));
		return;
	}
	(void)!job_init(job, cot, &jwe);
	job->own_jwe = jwe;
	job->jwe = &job->own_jwe;
}

/* What is recovered may still not be the key. */
static int open_jwe(struct job *job, const struct buf *cek, struct buf *ret)
{
	int r;

	r = jwe_open(job->jwe, buf_ref(cek), ret);
	if (r != -EBADMSG && r != -EINVAL)
		return r;
	if (job->n_children > 0)
		return log_err(&job->log, -EBADMSG,
			       "%s: enough parts were recovered, but they do not fit together: the "
			       "policy is corrupt",
			       job->pin->name);
	return log_err(&job->log, -EBADMSG,
		       "%s: the key recovered does not open this token: a wrong answer was "
		       "given or the token was altered",
		       job->where[0] ? job->where : job->pin->name);
}

static int step_key(struct cot *cot, struct job *job, struct buf *ret)
{
	CLEANUP(buf_done) struct buf cek = {0};
	int r;

	r = job->pin->decrypt(cot, job, &cek);
	return r == 0 ? open_jwe(job, &cek, ret) : r;
}

int job_step(struct cot *cot, struct job *job, struct buf *ret)
{
	int r;

	if (job->began_us == 0 && (cot->network || job->pin->flags & PIN_LOCAL))
		job->began_us = now_us();

	r = job->pin->open ? job->pin->open(cot, job, ret) : step_key(cot, job, ret);
	job->result = r;
	if (r != -EINPROGRESS)
		job_stop(job);
	return r;
}

void job_stop(struct job *job)
{
	for (size_t i = 0; i < job->n_children; i++)
		job_stop(&job->children[i]);
	if (job->state)
		job->pin->release(job);
	free(job->state);
	job->state = NULL;
	jwe_done(&job->own_jwe);
	job->jwe = NULL;
	if (job->began_us != 0 && job->ended_us == 0)
		job->ended_us = now_us();
}

struct survey *survey_free(struct survey *survey)
{
	if (survey)
		json_decref(survey->keys);
	free(survey);
	return NULL;
}

void job_done(struct job *job)
{
	job_stop(job);
	job->survey = survey_free(job->survey);
	for (size_t i = 0; i < job->n_children; i++)
		job_done(&job->children[i]);
	free(job->children);
	*job = (struct job){0};
}

int pin_recover(struct cot *cot, struct job *job, struct buf *ret)
{
	int r;

	cot->network = false;
	r = job_step(cot, job, ret);

	cot->network = true;
	while (r == -EINPROGRESS) {
		bool late = now_us() >= cot->deadline_us;

		r = job_step(cot, job, ret);
		if (r != -EINPROGRESS)
			break;
		if (late)
			r = log_err(&job->log, -ETIMEDOUT, "%s: no result in time", job->pin->name);
		else if (cot_wait(cot) < 0)
			r = log_err(&job->log, -EINTR, "%s: interrupted", job->pin->name);
	}
	job->result = r;
	job_stop(job);
	return r;
}

static int verify_sealed(const struct jwe *jwe, const struct buf *cek, struct ref secret)
{
	CLEANUP(buf_done) struct buf opened = {0};
	int r;

	r = jwe_open(jwe, buf_ref(cek), &opened);
	if (r < 0)
		return r;

	return ref_equal(buf_ref(&opened), secret) ? 0 : -EIO;
}

/* `hdr` names the pin so far. */
static int seal_by_key(struct cot *cot, const struct pin *pin, const json_t *cfg, json_t *hdr,
		       struct ref secret, struct jwe *ret)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP(buf_done) struct buf cek = {0};
	int r;

	r = pin->encrypt(cot, cfg, hdr, &cek);
	if (r == 0)
		r = pin_check(cot->pins, hdr, cot->log, &pin);
	if (r < 0)
		return r;

	r = jwe_seal(hdr, buf_ref(&cek), secret, &jwe);
	if (r == 0)
		r = verify_sealed(&jwe, &cek, secret);
	if (r < 0)
		return log_err(cot->log, r, "%s: the secret could not be encrypted", pin->name);

	*ret = TAKE_STRUCT(jwe);
	return 0;
}

int pin_seal(struct cot *cot, const char *name, const json_t *cfg, struct ref secret,
	     struct jwe *ret)
{
	CLEANUP_JSON json_t *hdr = json_pack("{s:{s:s}}", "clevis", "pin", name);
	const struct pin *pin;

	if (!hdr)
		return -ENOMEM;
	pin = pin_by_name(cot->pins, name);
	if (!pin)
		return log_err(cot->log, -EOPNOTSUPP, "the pin \"%.32s\" is not supported here",
			       name);

	cot->network = true;
	return pin->seal ? pin->seal(cot, name, cfg, secret, ret)
			 : seal_by_key(cot, pin, cfg, hdr, secret, ret);
}
