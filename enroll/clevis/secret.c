/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Seals and recovers through the engine. */
#include "enroll/clevis/secret.h"

#include "enroll/clevis/bound-config.h"
#include "enroll/clevis/typed.h"
#include "enroll/excuse.h"
#include "enroll/tree.h"
#include "token/token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void secret_done(struct secret *secret)
{
	buf_done(&secret->plain);
	free(secret->jwe);
	*secret = (struct secret){0};
}

static uint64_t deadline_us(void)
{
	return now_us() + (uint64_t)TOKEN_DEADLINE_DEFAULT * USEC_PER_SEC;
}

static void keep_why(void *to, enum log_level level, const char *line)
{
	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(to, LOG_LINE_MAX, "%s", line);
}

/* Recovers what was just sealed. */
static int try_out(const struct sealing *wish, const struct jwe *jwe, const struct log *log,
		   struct secret *secret)
{
	CLEANUP(buf_done) struct buf plain = {0};
	CLEANUP(job_done) struct job job = {0};
	char why[LOG_LINE_MAX] = "";
	const struct log keep = {.sink = keep_why, .to = why};
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = pins, .log = &keep, .deadline_us = deadline_us(), .user_pin = typed_pin()};
	int r;

	r = job_init(&job, &cot, jwe);
	if (r == 0)
		r = pin_recover(&cot, &job, &plain);
	if (r == 0 && !ref_equal(buf_ref(&plain), buf_ref(&secret->plain)))
		return log_err(log, -EIO, "another secret came back than was sealed");
	if (r == 0)
		return 0;

	(void)snprintf(why, sizeof(why), "%s", job.why[0] ? job.why : strerror(-r));
	/* What another program makes may be for another machine, or want a person there. */
	if (bound_config_is_whole(jwe->hdr) && !excused(wish->pin, wish->config, &job))
		return log_err(log, r, "%s; nothing was changed", why);
	(void)snprintf(secret->unproven, sizeof(secret->unproven), "%s", why);
	return 0;
}

static int find_card(void *arg, const struct pin_options *of, json_t *config)
{
	bool *found = arg;

	*found |= of && of->traits(config) & PIN_TRAIT_CARD_PIN;
	return 0;
}

int secret_make(const struct sealing *wish, const struct log *log, struct secret *ret)
{
	CLEANUP(secret_done) struct secret secret = {0};
	CLEANUP(jwe_done) struct jwe jwe = {0};
	int r;

	r = token_new_secret(&secret.plain);
	if (r < 0)
		return log_err(log, r, "no random secret could be made: %s", strerror(-r));
	r = sealing_run(wish, buf_ref(&secret.plain), log, &jwe);
	if (r == 0)
		r = try_out(wish, &jwe, log, &secret);
	if (r == 0 && typed_pin().p)
		r = tree_each(wish->pin, (json_t *)(uintptr_t)wish->config, find_card,
			      &secret.typed);
	if (r == 0)
		r = jwe_to_compact(&jwe, &secret.jwe);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(secret);
	return 0;
}
