/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks for notes of what was stopped. */
#include "enroll/leftover.h"

#include "enroll/luks-resume.h"
#include "enroll/signals.h"
#include "enroll/trial.h"

#include <errno.h>

static void tell(const struct luks *luks, const struct output *out, unsigned token,
		 enum luks_resumed resumed, unsigned keyslot)
{
	switch (resumed) {
	case LUKS_RESUMED_UNDONE:
		output_say(out, "removed token %u, which an interrupted run left", token);
		break;
	case LUKS_RESUMED_DONE:
		output_say(out, "finished what an interrupted run began with token %u", token);
		break;
	case LUKS_RESUMED_KEYSLOT:
		output_warn("keyslot %u of %s may be left from a token that was replaced, but "
			    "nothing tells any more what opens it, so it stays; if it is nobody's, "
			    "remove it with --wipe-slot=%u",
			    keyslot, luks->name, keyslot);
		break;
	default:
		break;
	}
}

static int resume(struct luks *luks, unsigned token, const struct trial_gain *gain,
		  enum luks_resumed *ret, unsigned *ret_keyslot)
{
	struct signals held;
	int r;

	signals_hold(&held, false);
	r = luks_resume(luks, token, buf_ref(&gain->secret), gain->keyslot, ret, ret_keyslot);
	signals_release(&held);
	return r;
}

/* With the secret of the token, if that can be had. */
static int recover_and_resume(struct luks *luks, const struct item *item, enum luks_resumed *ret,
			      unsigned *ret_keyslot)
{
	CLEANUP(trial_gain_done) struct trial_gain gain = {0};
	CLEANUP(trial_done) struct trial trial = {0};

	trial_open_asking(luks, item, false, &trial, &gain);
	if (gain.secret.p)
		return resume(luks, item->id, &gain, ret, ret_keyslot);

	output_warn("an interrupted run left token %u of %s unfinished, which stays so while it "
		    "cannot be opened by it: %s",
		    item->id, luks->name, trial.why);
	return 0;
}

static int clear(struct luks *luks, const struct output *out, unsigned token)
{
	static const struct trial_gain none;
	enum luks_resumed resumed = LUKS_RESUMED_NONE;
	unsigned keyslot = 0;
	int r;

	r = resume(luks, token, &none, &resumed, &keyslot);
	if (r == 0 && resumed == LUKS_RESUMED_WANTS) {
		CLEANUP(inventory_done) struct inventory inventory = {0};
		const struct item *item;

		r = inventory_read(luks, &inventory);
		item = r == 0 ? inventory_find(&inventory, token) : NULL;
		if (item)
			r = recover_and_resume(luks, item, &resumed, &keyslot);
	}
	if (r == 0)
		tell(luks, out, token, resumed, keyslot);
	return r;
}

int leftover_clear(struct luks *luks, const struct output *out)
{
	for (unsigned i = 0; i < LUKS_TOKENS; i++) {
		const char *type, *json;
		int r;

		r = luks_token(luks, i, &type, &json);
		if (r == -ENOENT || (r == 0 && !token_type_pin(type)))
			continue;
		if (r == 0)
			r = clear(luks, out, i);
		if (r < 0)
			return r;
	}
	return 0;
}
