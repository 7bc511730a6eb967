/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Seals, tries and proves. */
#include "enroll/fresh.h"

#include "enroll/excuse.h"
#include "enroll/proof.h"
#include "enroll/trial.h"
#include "enroll/trust.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void fresh_done(struct fresh *fresh)
{
	buf_done(&fresh->secret);
	token_done(&fresh->token);
	free(fresh->json);
	*fresh = (struct fresh){0};
}

/* What cotter does not know of is kept, in a token that takes another's place. */
static int keep_extras(const json_t *extras, char **json)
{
	CLEANUP_JSON json_t *token = NULL, *kept = json_copy((json_t *)(uintptr_t)extras);
	char *text = NULL;
	int r;

	if (!kept)
		return -ENOMEM;
	(void)json_object_del(kept, "unfinished");
	r = js_load(ref_str(*json), &token);
	if (r == 0 && json_object_update_missing(json_object_get(token, "cotter"), kept) != 0)
		r = -ENOMEM;
	if (r == 0)
		r = js_dump(token, &text);
	if (r < 0)
		return r;

	free(*json);
	*json = text;
	return 0;
}

int fresh_seal(const struct fresh_wish *wish, const struct log *log, struct fresh *ret)
{
	CLEANUP(fresh_done) struct fresh fresh = {0};
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = pins,
		.log = log,
		.deadline_us = now_us() + (uint64_t)TOKEN_DEADLINE_DEFAULT * USEC_PER_SEC,
		.user_pin = wish->user_pin,
		.confirm = trust_confirm,
		.confirm_arg = (void *)(uintptr_t)log,
	};
	int r;

	r = token_new_secret(&fresh.secret);
	if (r < 0)
		return log_err(log, r, "no random secret could be made: %s", strerror(-r));

	r = pin_seal(&cot, wish->pin, wish->config, buf_ref(&fresh.secret), &fresh.token.jwe);
	if (r < 0)
		return r;

	fresh.token.pin = pin_find(pins, fresh.token.jwe.hdr);
	fresh.token.deadline = wish->deadline;
	if (wish->label) {
		fresh.token.label = strdup(wish->label);
		if (!fresh.token.label)
			return -ENOMEM;
	}
	r = token_format(&fresh.token, &fresh.json);
	if (r == 0 && wish->extras)
		r = keep_extras(wish->extras, &fresh.json);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(fresh);
	return 0;
}

int fresh_try(const struct fresh_wish *wish, const struct log *log, struct fresh *fresh)
{
	CLEANUP(buf_done) struct buf secret = {0};
	CLEANUP(trial_done) struct trial trial = {0};
	int r;

	r = trial_recover(&fresh->token, wish->user_pin, &trial, &secret);
	if (r == 0 && !ref_equal(buf_ref(&secret), buf_ref(&fresh->secret)))
		return log_err(log, -EIO, "another secret came back than was sealed");
	if (r == 0)
		return 0;

	if (excused(wish->pin, wish->config, &trial.job)) {
		(void)snprintf(fresh->unproven, sizeof(fresh->unproven), "%s", trial.why);
		return 0;
	}
	return log_err(log, r, "%s; nothing was changed", trial.why);
}

static int prove_in_memory(struct luks *luks, const struct bound *bound, const struct fresh *fresh)
{
	int r;

	r = luks_keyslot_opens(luks, bound->keyslot, buf_ref(&fresh->secret));
	if (r < 0)
		return log_err(luks->log, r,
			       "the new keyslot does not open, so the binding is removed again");
	return 0;
}

int fresh_prove(const struct fresh_wish *wish, const struct options *options, struct luks *luks,
		const struct bound *bound, const struct signals *held, struct fresh *fresh)
{
	char why[LOG_LINE_MAX] = "";
	int r;

	if (fresh->unproven[0])
		return prove_in_memory(luks, bound, fresh);

	r = proof_run(options, bound->token, wish->user_pin, held, why);
	if (r == 0)
		return 0;
	if (r == -EAGAIN && wish->saved) {
		(void)snprintf(fresh->unproven, sizeof(fresh->unproven), "%s", why);
		return prove_in_memory(luks, bound, fresh);
	}
	return log_err(luks->log, r, "the new binding was not proven, so it is removed again: %s",
		       why);
}
