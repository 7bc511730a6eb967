/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --wipe-slot: removes keyslots together with their tokens. */
#include "enroll/wipe.h"

#include "enroll/leftover.h"
#include "enroll/trial.h"
#include "enroll/verbs.h"

#include <errno.h>
#include <stdio.h>

static bool selects(const struct selection *selection, const struct item *item)
{
	if (!item->ours)
		return false;
	if (selection->all || (selection->orphaned && item->keyslots == 0))
		return true;
	for (unsigned i = 0; pins[i]; i++)
		if (selection->pins & UINT32_C(1) << i && token_type_pin(item->type) == pins[i])
			return true;
	return false;
}

/* A token of another program would be left without its keyslot. */
static int refuse_foreign(const struct luks *luks, const struct inventory *inventory,
			  uint32_t keyslots)
{
	for (size_t i = 0; i < inventory->n; i++) {
		const struct item *item = &inventory->items[i];
		uint32_t shared = item->keyslots & keyslots;

		if (!item->ours && shared != 0)
			return log_err(luks->log, -EPERM,
				       "keyslot %d of %s belongs to token %u of type %s; remove "
				       "both with the program that made them",
				       __builtin_ctz(shared), luks->name, item->id, item->type);
	}
	return 0;
}

int wipe_plan(const struct luks *luks, const struct inventory *inventory,
	      const struct selection *selection, struct wipe *ret)
{
	struct wipe wipe = {
		.keyslots = selection->keyslots & (inventory->active | inventory->unbound),
	};
	int r;

	for (size_t i = 0; i < inventory->n; i++)
		if (selects(selection, &inventory->items[i]))
			wipe.keyslots |= inventory->items[i].keyslots;

	r = refuse_foreign(luks, inventory, wipe.keyslots);
	if (r < 0)
		return r;
	for (size_t i = 0; i < inventory->n; i++) {
		const struct item *item = &inventory->items[i];
		bool loses_all = item->keyslots != 0 && (item->keyslots & ~wipe.keyslots) == 0;

		if (selects(selection, item) || loses_all)
			wipe.tokens |= UINT32_C(1) << item->id;
	}

	*ret = wipe;
	return 0;
}

/* Keyslots that a person's passphrase or key file, or another program's token, may open. */
static uint32_t others_keyslots(const struct inventory *inventory)
{
	uint32_t keyslots = inventory->active;

	for (size_t i = 0; i < inventory->n; i++)
		if (inventory->items[i].ours)
			keyslots &= ~inventory->items[i].keyslots;
	for (size_t i = 0; i < inventory->n; i++)
		if (!inventory->items[i].ours)
			keyslots |= inventory->items[i].keyslots & inventory->active;
	return keyslots;
}

int wipe_leaves_way(struct luks *luks, const struct inventory *inventory, const struct wipe *wipe)
{
	uint32_t left = inventory->active & ~wipe->keyslots;
	CLEANUP(trial_done) struct trial trial = {0};

	if ((wipe->keyslots & inventory->active) == 0 || (left & others_keyslots(inventory)) != 0)
		return 0;
	if (left == 0)
		return log_err(luks->log, -EPERM,
			       "this would remove the last keyslot that opens %s; add another way "
			       "in first",
			       luks->name);

	for (size_t i = 0; i < inventory->n; i++) {
		struct item item = inventory->items[i]; /* borrows what that owns */

		item.keyslots &= left;
		if (!item.ours || item.keyslots == 0)
			continue;
		trial_run_asking(luks, &item, &trial);
		if (trial.result == TRIAL_OPENS)
			return 0;
	}
	return log_err(luks->log, -EPERM,
		       "only cotter tokens would be left to open %s, and none of them does now: %s",
		       luks->name, trial.why);
}

/* Calls `remove` for each bit, clearing it in *left once done, until one fails. */
static int remove_each(struct luks *luks, uint32_t *left, int (*remove)(struct luks *, unsigned))
{
	while (*left != 0) {
		unsigned i = (unsigned)__builtin_ctz(*left);
		int r;

		r = remove(luks, i);
		if (r < 0)
			return r;
		*left &= ~(UINT32_C(1) << i);
	}
	return 0;
}

/* "1, 4 and 7" */
static const char *numbers_text(uint32_t bits, char ret[LOG_LINE_MAX])
{
	size_t n = 0;

	ret[0] = '\0';
	for (int i = 0; bits != 0; i++) {
		uint32_t bit = UINT32_C(1) << i;
		const char *before = n == 0 ? "" : bits == bit ? " and " : ", ";

		if (!(bits & bit))
			continue;
		n += (size_t)snprintf(ret + n, LOG_LINE_MAX - n, "%s%d", before, i);
		bits &= ~bit;
	}
	return ret;
}

static const char *noun(uint32_t bits, const char *one, const char *more)
{
	return bits == 0 ? "" : (bits & (bits - 1)) == 0 ? one : more;
}

static void say_wiped(const struct output *out, const struct wipe *done)
{
	char keyslots[LOG_LINE_MAX], tokens[LOG_LINE_MAX];

	if (done->keyslots == 0 && done->tokens == 0)
		output_say(out, "nothing that --wipe-slot selects is there; nothing was changed");
	else
		output_say(out, "removed%s%s%s%s%s",
			   noun(done->keyslots, " keyslot ", " keyslots "),
			   numbers_text(done->keyslots, keyslots),
			   done->keyslots && done->tokens ? "," : "",
			   noun(done->tokens, " token ", " tokens "),
			   numbers_text(done->tokens, tokens));
}

int wipe_do(struct luks *luks, const struct wipe *wipe, const struct signals *held,
	    struct output *out)
{
	struct wipe left = *wipe, done;
	json_t *wiped;
	int r;

	/* Once begun it is brought to its end, which is near, so that nothing is left by halves. */
	r = signals_came(held) ? log_err(luks->log, -EINTR, "interrupted; nothing was removed")
			       : remove_each(luks, &left.keyslots, luks_remove_keyslot);
	if (r == 0)
		r = remove_each(luks, &left.tokens, luks_remove_token);

	done.keyslots = wipe->keyslots & ~left.keyslots;
	done.tokens = wipe->tokens & ~left.tokens;
	if (r == 0 || done.keyslots != 0 || done.tokens != 0)
		say_wiped(out, &done);
	wiped = json_pack("{s:o, s:o}", "keyslots", inventory_numbers(done.keyslots), "tokens",
			  inventory_numbers(done.tokens));
	if (json_object_set_new(out->json, "wiped", wiped) < 0 && r == 0)
		r = -ENOMEM;
	return r;
}

/* The user may have it that nothing opens the volume any more, but is told. */
static int check_way(struct luks *luks, const struct inventory *inventory, const struct wipe *wipe,
		     bool force)
{
	const struct log *log = luks->log;
	int r;

	if (!force)
		return wipe_leaves_way(luks, inventory, wipe);
	luks->log = NULL;
	r = wipe_leaves_way(luks, inventory, wipe);
	luks->log = log;
	if (r == -EPERM)
		output_warn("with what is removed now goes the last way into %s that is known to "
			    "open it",
			    luks->name);
	return r == -EPERM ? 0 : r;
}

enum exit_code verb_wipe(const struct options *options, struct output *out)
{
	CLEANUP(inventory_done) struct inventory inventory = {0};
	CLEANUP(luks_freep) struct luks *luks = NULL;
	struct signals held;
	struct wipe wipe;
	int r;

	r = luks_open(options->device, options->header, true, &out->log, &luks);
	if (r == 0)
		r = leftover_clear(luks, out);
	if (r == 0)
		r = inventory_read(luks, &inventory);
	if (r == 0)
		r = wipe_plan(luks, &inventory, &options->selection, &wipe);
	if (r == 0)
		r = check_way(luks, &inventory, &wipe, options->force);
	if (r < 0)
		return EXIT_CODE_FAILED;

	/* A keyslot that is half overwritten would still be listed, so a signal waits. */
	signals_hold(&held, false);
	r = wipe_do(luks, &wipe, &held, out);
	signals_release(&held);
	return r < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}
