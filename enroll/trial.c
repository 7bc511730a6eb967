/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tries a token. */
#include "enroll/trial.h"

#include "enroll/ask.h"
#include "enroll/options-pin.h"
#include "enroll/output.h"
#include "enroll/user-pin.h"

#include <errno.h>
#include <stdio.h>

enum { TRIES = 3 };

static void why_sink(void *to, enum log_level level, const char *line)
{
	struct trial *trial = to;
	size_t n = strlen(trial->why);

	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(trial->why + n, sizeof(trial->why) - n, "%s%s", n > 0 ? "; " : "",
			       line);
}

void trial_done(struct trial *trial)
{
	job_done(&trial->job);
	*trial = (struct trial){0};
}

static void begin(struct trial *trial)
{
	bool survey = trial->survey;

	trial_done(trial);
	trial->survey = survey;
	trial->log = (struct log){.sink = why_sink, .to = trial};
}

/* What the plugin would refuse before it asks anybody. */
static int check_ciphers(const struct luks *luks, const struct item *item, const struct log *log)
{
	if (luks_null_cipher(luks, LUKS_ANY))
		return log_err(log, -EKEYREJECTED, "the volume is not encrypted (null cipher)");
	for (int i = 0; i < LUKS_KEYSLOTS; i++)
		if (item->keyslots & UINT32_C(1) << i && luks_null_cipher(luks, i))
			return log_err(log, -EKEYREJECTED,
				       "keyslot %d is not encrypted (null cipher)", i);
	return 0;
}

int trial_recover(const struct token *token, struct ref user_pin, struct trial *trial,
		  struct buf *ret)
{
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = pins,
		.user_pin = user_pin,
		.survey = trial->survey,
		.surveyor = pin_surveyor,
	};
	uint64_t began_us = now_us();
	int r;

	begin(trial);
	trial->asked = true;
	cot.log = &trial->log;
	r = token_recover_job(&cot, token, 0, &trial->job, ret);
	trial->took_us = now_us() - began_us;
	if (r < 0)
		trial->result = pin_may_pass(r) ? TRIAL_AWAY : TRIAL_FAILS;
	trial->wants_pin = r == -ENOANO;
	trial->pin_given = user_pin.p;
	if (r == -ENOANO && !user_pin.p) {
		trial->result = TRIAL_AWAY;
		(void)log_err(&trial->log, 0, "it takes a PIN, and nobody was there to type it");
	}
	return r;
}

void trial_gain_done(struct trial_gain *gain)
{
	buf_done(&gain->secret);
	buf_done(&gain->user_pin);
	*gain = (struct trial_gain){0};
}

static int open_keyslot(struct luks *luks, const struct item *item, struct ref secret,
			unsigned *ret)
{
	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++)
		if (item->keyslots & UINT32_C(1) << i && luks_keyslot_opens(luks, i, secret) == 0) {
			*ret = i;
			return 0;
		}
	return -EPERM;
}

static void run(struct luks *luks, const struct item *item, struct ref user_pin, struct trial *ret,
		struct trial_gain *gain)
{
	CLEANUP(buf_done) struct buf secret = {0};
	uint64_t began_us = now_us();
	unsigned keyslot;
	int r = 0;

	begin(ret);
	ret->result = TRIAL_FAILS;
	if (!item->valid)
		r = log_err(&ret->log, -EBADMSG, "%s", item->why);
	else if (item->keyslots == 0)
		r = log_err(&ret->log, -EBADMSG, "no keyslot belongs to it");
	else
		r = check_ciphers(luks, item, &ret->log);
	if (r < 0 || trial_recover(&item->token, user_pin, ret, &secret) < 0)
		return;

	if (open_keyslot(luks, item, buf_ref(&secret), &keyslot) < 0) {
		ret->result = TRIAL_FAILS;
		(void)log_err(&ret->log, 0, "its secret was recovered, but opens no keyslot of it");
	} else {
		ret->result = TRIAL_OPENS;
		buf_done(&gain->secret);
		gain->secret = TAKE_STRUCT(secret);
		gain->keyslot = keyslot;
	}
	ret->took_us = now_us() - began_us;
}

void trial_run(struct luks *luks, const struct item *item, struct ref user_pin, struct trial *ret)
{
	CLEANUP(trial_gain_done) struct trial_gain gain = {0};

	run(luks, item, user_pin, ret, &gain);
}

/* Whether some part of it, needed or not, would come to more with a PIN. */
static bool part_wants_pin(const struct job *job)
{
	for (size_t i = 0; i < job->n_children; i++)
		if (part_wants_pin(&job->children[i]))
			return true;
	return job->n_children == 0 && job->result == -ENOANO;
}

void trial_open_asking(struct luks *luks, const struct item *item, bool whole, struct trial *ret,
		       struct trial_gain *ret_gain)
{
	run(luks, item, (struct ref){0}, ret, ret_gain);

	for (int i = 0; i < TRIES && (ret->wants_pin || (whole && part_wants_pin(&ret->job)));
	     i++) {
		CLEANUP(buf_done) struct buf user_pin = {0};

		if (i > 0)
			output_warn("%s", ret->why[0] ? ret->why : "this PIN is not the one");
		if (user_pin_ask(item->id, &user_pin) < 0)
			return;
		run(luks, item, buf_ref(&user_pin), ret, ret_gain);
		buf_done(&ret_gain->user_pin);
		ret_gain->user_pin = TAKE_STRUCT(user_pin);
	}
}

void trial_run_asking(struct luks *luks, const struct item *item, struct trial *ret)
{
	CLEANUP(trial_gain_done) struct trial_gain gain = {0};

	trial_open_asking(luks, item, false, ret, &gain);
}
