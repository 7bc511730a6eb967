/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tries a token. */
#include "enroll/trial.h"

#include "enroll/ask.h"
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
	struct cot cot = {.pins = pins, .user_pin = user_pin, .survey = trial->survey};
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

static int open_keyslot(struct luks *luks, const struct item *item, struct ref secret)
{
	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++)
		if (item->keyslots & UINT32_C(1) << i && luks_keyslot_opens(luks, i, secret) == 0)
			return 0;
	return -EPERM;
}

void trial_run(struct luks *luks, const struct item *item, struct ref user_pin, struct trial *ret)
{
	CLEANUP(buf_done) struct buf secret = {0};
	uint64_t began_us = now_us();
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

	if (open_keyslot(luks, item, buf_ref(&secret)) < 0) {
		ret->result = TRIAL_FAILS;
		(void)log_err(&ret->log, 0, "its secret was recovered, but opens no keyslot of it");
	}
	ret->took_us = now_us() - began_us;
}

void trial_run_asking(struct luks *luks, const struct item *item, struct trial *ret)
{
	trial_run(luks, item, (struct ref){0}, ret);

	for (int i = 0; i < TRIES && ret->wants_pin; i++) {
		CLEANUP(buf_done) struct buf user_pin = {0};

		if (i > 0)
			output_warn("%s", ret->why);
		if (user_pin_ask(item->id, &user_pin) < 0)
			return;
		trial_run(luks, item, buf_ref(&user_pin), ret);
	}
}
