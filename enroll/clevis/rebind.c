/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recovers, plans, seals, and replaces. */
#include "enroll/clevis/rebind.h"

#include "enroll/clevis/again.h"
#include "enroll/clevis/bound-config.h"
#include "enroll/clevis/credential.h"
#include "enroll/clevis/pin-config.h"
#include "enroll/clevis/prove.h"
#include "enroll/clevis/secret.h"
#include "enroll/options-pin.h"
#include "enroll/signals.h"
#include "token/token.h"

#include <errno.h>

static int recover_for_resume(void *arg, const char *jwe, struct buf *ret)
{
	return sealing_open(ref_str(jwe), arg, ret);
}

int rebind_resume(struct volume *volume)
{
	struct signals held;
	int r;

	signals_hold(&held, false);
	r = volume->format->resume(volume, recover_for_resume,
				   (void *)(uintptr_t)volume->luks->log);
	signals_release(&held);
	return r;
}

/* What is known of the old binding. */
struct old {
	struct token token;
	struct job job;    /* its recovery, which surveyed */
	struct buf secret; /* p set: it opened its keyslot, so that its header is authentic */
	struct buf volume_key;
};

static void old_done(struct old *old)
{
	job_done(&old->job);
	token_done(&old->token);
	buf_done(&old->secret);
	buf_done(&old->volume_key);
}

/* By its own secret. Errors: -EPERM, where it opens nothing, -ENOMEM. */
static int open_by_itself(struct volume *volume, unsigned slot, const char *jwe, struct old *old)
{
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = pins,
		.log = volume->luks->log,
		.survey = true,
		.surveyor = pin_surveyor,
	};
	CLEANUP(buf_done) struct buf secret = {0};
	int r;

	r = jwe_from_compact(ref_str(jwe), &old->token.jwe);
	if (r == 0)
		r = pin_check(pins, old->token.jwe.hdr, volume->luks->log, &old->token.pin);
	if (r < 0)
		return r == -ENOMEM ? r : -EPERM;

	old->token.deadline = TOKEN_DEADLINE_DEFAULT;
	r = token_recover_job(&cot, &old->token, 0, &old->job, &secret);
	if (r == 0)
		r = luks_unlock_keyslot(volume->luks, (int)slot, buf_ref(&secret),
					&old->volume_key);
	if (r < 0)
		return r == -ENOMEM ? r : -EPERM;
	old->secret = TAKE_STRUCT(secret);
	return 0;
}

static int make(struct volume *volume, unsigned slot, const struct sealing *wish,
		const struct old *old)
{
	CLEANUP(secret_done) struct secret secret = {0};
	struct volume_binding binding = {.slot = (int)slot, .token = VOLUME_ANY};
	struct signals held;
	int r;

	r = secret_make(wish, volume->luks->log, &secret);
	if (r < 0)
		return r;
	if (secret.unproven[0])
		return log_err(volume->luks->log, -EAGAIN,
			       "%s; nothing was changed, as what is new cannot be proven now",
			       secret.unproven);

	binding.jwe = secret.jwe;
	binding.secret = buf_ref(&secret.plain);
	binding.volume_key = buf_ref(&old->volume_key);
	binding.prove = prove_in_header;
	binding.arg = &secret;
	signals_hold(&held, false);
	r = volume->format->replace(volume, &binding, buf_ref(&old->secret));
	signals_release(&held);
	return r;
}

/* As from a command line. */
static int read_config(const char *pin, const json_t *config, const struct log *log, json_t **ret)
{
	CLEANUP(free_text) char *text = bound_config_text(config);

	return text ? pin_config_read(pin, text, log, ret) : -ENOMEM;
}

int rebind(struct volume *volume, unsigned slot, const struct bound_to *bound_to,
	   const json_t *config)
{
	const struct log *log = volume->luks->log;
	CLEANUP(old_done) struct old old = {0};
	CLEANUP_JSON json_t *wanted = NULL, *planned = NULL;
	struct sealing wish = {.pin = bound_to->pin};
	int r;

	if (!config && !bound_config_is_whole(bound_to->hdr))
		return log_err(
			log, -EBADMSG,
			"a part of the binding is of a pin that is unknown here, and would be "
			"lost; bind it anew with clevis luks bind");
	r = open_by_itself(volume, slot, bound_to->jwe, &old);
	if (r == -EPERM)
		r = credential_recover(volume, &old.volume_key);
	if (r < 0)
		return r;

	r = read_config(bound_to->pin, config ? config : bound_to->config, log, &wanted);
	if (r == 0 && old.secret.p)
		r = again_plan(&old.job, wish.pin, wanted, log, &planned);
	if (r < 0)
		return r;
	wish.config = planned ? planned : wanted;
	return make(volume, slot, &wish, &old);
}
