/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new binding: sealed, rehearsed, written, proven, and only then what it replaces is removed. */
#include "enroll/card-pin.h"
#include "enroll/crypttab-step.h"
#include "enroll/follow.h"
#include "enroll/fresh.h"
#include "enroll/leftover.h"
#include "enroll/luks-takeover.h"
#include "enroll/proof.h"
#include "enroll/reencrypt.h"
#include "enroll/same.h"
#include "enroll/second-pin.h"
#include "enroll/tree.h"
#include "enroll/unlock.h"
#include "enroll/user-pin.h"
#include "enroll/verbs.h"
#include "enroll/wipe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* One run, from the first look at the header to the last removal. */
struct run {
	const struct options *options;
	struct output *out;
	struct luks *luks;
	struct inventory inventory;
	struct wipe wipe;
	struct buf user_pin;
	struct fresh fresh;
	int token; /* where it goes, or LUKS_ANY */
	struct buf volume_key;
	uint32_t outgoing;             /* the tokens that are to go, a bit each */
	struct luks_takeover takeover; /* where it replaces a token */
	struct bound bound;
};

static void run_done(struct run *run)
{
	run->luks = luks_free(run->luks);
	inventory_done(&run->inventory);
	buf_done(&run->user_pin);
	fresh_done(&run->fresh);
	luks_takeover_done(&run->takeover);
	buf_done(&run->volume_key);
}

static int id_taken(const struct run *run)
{
	return log_err(&run->out->log, -EEXIST, "token id %d of %s is taken", run->options->token,
		       run->luks->name);
}

static int check_free(const struct run *run)
{
	const struct options *options = run->options;
	uint32_t taken = run->inventory.active | run->inventory.unbound;
	const struct item *there = NULL;

	if (options->keyslot != OPTIONS_ANY && taken & UINT32_C(1) << options->keyslot)
		return log_err(&run->out->log, -EEXIST, "keyslot %d of %s is taken",
			       options->keyslot, run->luks->name);
	if (options->token != OPTIONS_ANY)
		there = inventory_find(&run->inventory, (unsigned)options->token);
	return there && (!there->ours || there->keyslots != 0) ? id_taken(run) : 0;
}

/* The token that already binds the same, or what a run that was ended left of one; NULL: there is none. */
static const struct item *find_same(const struct run *run, bool orphaned)
{
	const struct wipe gone = {.keyslots = run->wipe.keyslots, .tokens = run->outgoing};

	return same_find(&run->inventory, run->fresh.token.jwe.hdr, &gone, orphaned);
}

/* Where the token goes: what a run that was ended left of the same binding is written over. */
static int choose_token(struct run *run)
{
	const struct item *left = find_same(run, /* orphaned= */ true);
	int wanted = run->options->token;

	run->token = wanted == OPTIONS_ANY && left ? (int)left->id : wanted;
	if (wanted == OPTIONS_ANY || (left && left->id == (unsigned)wanted))
		return 0;
	return inventory_find(&run->inventory, (unsigned)wanted) ? id_taken(run) : 0;
}

/* The token that --replace means. */
static int find_replaced(struct run *run)
{
	struct luks_takeover *takeover = &run->takeover;
	int r;

	r = inventory_choose(&run->inventory, run->luks, run->options->replaced, &takeover->token);
	if (r == 0)
		r = luks_takeover_possible(run->luks, takeover->token, &takeover->keyslot);
	if (r == 0)
		run->outgoing = UINT32_C(1) << takeover->token;
	return r;
}

/* Whether it can fit at all; what it takes exactly is known once it is sealed. */
static int check_room(const struct run *run)
{
	const struct options *options = run->options;
	size_t size = 0;
	int r;

	r = tree_size_min(options->pin, options->config, &size);
	return r < 0 ? r : luks_bind_room(run->luks, size);
}

/* Whether crypttab can have its line, which is as the tokens will be. */
static int check_crypttab(const struct run *run)
{
	const struct options *options = run->options;
	CLEANUP_JSON json_t *facts = NULL;
	struct marks marks;
	int r;

	r = marks_of(&run->inventory, run->outgoing, &marks);
	if (r == 0)
		r = tree_describe(options->pin, options->config, &facts);
	if (r < 0)
		return r;
	marks_add(&marks, options->pin, facts);
	return crypttab_step_check(run->luks, options, &marks);
}

/* All that can be refused before anybody is asked for anything. */
static int look(struct run *run)
{
	const struct options *options = run->options;
	const struct log *log = &run->out->log;
	int r;

	r = options->reencrypt ? reencrypt_mend(options, log) : 0;
	if (r == 0)
		r = luks_open(options->device, options->header, true, log, &run->luks);
	if (r == 0 && luks_null_cipher(run->luks, LUKS_ANY))
		r = log_err(log, -EINVAL,
			    "%s is not encrypted at all (null cipher), so there is nothing to "
			    "bind",
			    run->luks->name);
	if (r == 0)
		r = leftover_clear(run->luks, run->out);
	if (r == 0)
		r = inventory_read(run->luks, &run->inventory);
	if (r == 0)
		r = check_free(run);
	if (r == 0 && options->wipe)
		r = wipe_plan(run->luks, &run->inventory, &options->selection, &run->wipe);
	run->outgoing = run->wipe.tokens;
	if (r == 0 && options->replace)
		r = find_replaced(run);
	else if (r == 0)
		r = check_room(run);
	if (r == 0)
		r = second_pin_check(run->luks, &run->inventory, options, run->outgoing,
				     options->pin);
	if (r == 0 && options->crypttab)
		r = check_crypttab(run);
	if (r == 0)
		r = unlock_possible(options, log);
	if (r == 0 && options->reencrypt)
		r = reencrypt_check(run->luks, options);
	return r;
}

static int announce(void *arg, const struct pin_options *of, json_t *config)
{
	return of->announce ? of->announce(config, arg) : 0;
}

/* What is to be known and chosen before anything is sealed. */
static int prepare(struct run *run)
{
	const struct options *options = run->options;
	int r;

	r = tree_each(options->pin, options->config, announce, run->out);
	if (r == 0 && options->user_pin)
		r = user_pin_choose(&run->out->log, &run->user_pin);
	if (r == 0 && options->card_pin)
		r = card_pin_ask(options, run->out, &run->user_pin);
	return r;
}

static int report(struct output *out, unsigned token, unsigned keyslot, const char *state,
		  const char *cause)
{
	CLEANUP_JSON json_t *members =
		json_pack("{s:i, s:i, s:s, s:s*}", "token", (int)token, "keyslot", (int)keyslot,
			  "state", state, "cause", cause);

	return members && json_object_update(out->json, members) == 0 ? 0 : -ENOMEM;
}

static int report_same(const struct run *run, const struct item *item)
{
	const struct options *options = run->options;
	bool wipes = run->wipe.keyslots != 0 || run->wipe.tokens != 0;

	output_say(run->out, "%s is already bound so by token %u%s", options->device, item->id,
		   wipes ? "" : " (test it with --test); nothing was changed");
	if (options->replace)
		output_warn("token %u was kept; --wipe-slot=%u removes it", run->takeover.token,
			    run->takeover.keyslot);
	if (options->user_pin)
		output_warn("its PIN is the one that it had; to change it, add --wipe-slot=%u",
			    (unsigned)__builtin_ctz(item->keyslots));
	return report(run->out, item->id, (unsigned)__builtin_ctz(item->keyslots), "present", NULL);
}

static struct fresh_wish wish_of(const struct run *run)
{
	const struct options *options = run->options;

	return (struct fresh_wish){
		.pin = options->pin,
		.config = options->config,
		.label = options->label,
		.deadline = TOKEN_DEADLINE_DEFAULT,
		.user_pin = buf_ref(&run->user_pin),
		.saved = options->saved,
	};
}

static int rehearse(struct run *run, const struct binding *binding)
{
	if (!run->options->replace)
		return luks_bind_rehearse(run->luks, binding);
	run->takeover.binding = *binding;
	return luks_takeover_rehearse(run->luks, &run->takeover);
}

static int make(struct run *run, const struct binding *binding)
{
	return run->options->replace ? luks_takeover_begin(run->luks, &run->takeover, &run->bound)
				     : luks_bind_make(run->luks, binding, &run->bound);
}

static int undo(struct run *run, const struct binding *binding)
{
	return run->options->replace ? luks_takeover_undo(run->luks, &run->takeover, &run->bound)
				     : luks_bind_undo(run->luks, binding, &run->bound);
}

/* A binding is replaced by one that is proven, unless the user will have it so. */
static int check_proven(const struct run *run)
{
	if (!run->options->replace || run->options->force || !run->fresh.unproven[0])
		return 0;
	return log_err(&run->out->log, -EAGAIN,
		       "the new binding cannot be proven now, so token %u is not replaced: %s; "
		       "--force replaces it all the same",
		       run->takeover.token, run->fresh.unproven);
}

static int write_and_prove(struct run *run, const struct signals *held)
{
	const struct options *options = run->options;
	const struct fresh_wish wish = wish_of(run);
	const struct binding binding = {
		.json = run->fresh.json,
		.secret = buf_ref(&run->fresh.secret),
		.volume_key = buf_ref(&run->volume_key),
		.pbkdf = options->pbkdf,
		.keyslot = options->keyslot,
		.token = run->token,
	};
	int r;

	r = check_proven(run);
	if (r == 0)
		r = rehearse(run, &binding);
	if (r == 0 && signals_came(held))
		return -EINTR;
	if (r == 0)
		r = make(run, &binding);
	if (r < 0)
		return r;

	r = fresh_prove(&wish, options, run->luks, &run->bound, held, &run->fresh);
	if (r == 0)
		r = check_proven(run);
	if (r == 0 && signals_came(held))
		r = log_err(&run->out->log, -EINTR,
			    "interrupted; the new binding is removed again");
	if (r < 0 && undo(run, &binding) == 0)
		output_say(run->out, "%s is as it was before", run->luks->name);
	if (r == 0 && options->replace)
		r = luks_takeover_finish(run->luks, &run->takeover, &run->bound);
	return r;
}

static int report_bound(struct run *run)
{
	const struct bound *bound = &run->bound;
	bool proven = !run->fresh.unproven[0];

	if (proven)
		output_say(
			run->out,
			"bound %s: token %u, keyslot %u, proven by opening it in a fresh process",
			run->options->device, bound->token, bound->keyslot);
	else
		output_warn(
			"bound %s: token %u, keyslot %u, but unproven: %s; run --test once it %s",
			run->options->device, bound->token, bound->keyslot, run->fresh.unproven,
			run->options->later ? "holds" : "is in reach");
	return report(run->out, bound->token, bound->keyslot, proven ? "proven" : "unproven",
		      proven ? NULL : run->fresh.unproven);
}

static enum exit_code wipe_replaced(const struct run *run, const struct signals *held)
{
	if (run->fresh.unproven[0] && !run->options->force) {
		output_warn("what --wipe-slot selects was kept, because the binding is "
			    "unproven");
		return EXIT_CODE_AWAY;
	}
	return wipe_do(run->luks, &run->wipe, held, run->out) < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

/* With signals held, from the first byte that is written to the last that is removed. */
static enum exit_code commit(struct run *run, const struct signals *held)
{
	int r = write_and_prove(run, held);

	if (r == -EAGAIN && run->options->replace)
		return EXIT_CODE_AWAY; /* the token is still what it was */
	if (r < 0 || report_bound(run) < 0)
		return EXIT_CODE_FAILED;
	return run->options->wipe ? wipe_replaced(run, held) : EXIT_CODE_OK;
}

/* What a run that was ended made is proven as it would have been, before anything goes for it. */
static enum exit_code replace_by(struct run *run, const struct item *same)
{
	enum exit_code code;
	struct signals held;

	if (report_same(run, same) < 0)
		return EXIT_CODE_FAILED;
	if (run->wipe.keyslots == 0 && run->wipe.tokens == 0)
		return EXIT_CODE_OK;

	signals_hold(&held, false);
	if (proof_run(run->options, same->id, buf_ref(&run->user_pin), &held, run->fresh.unproven) <
	    0)
		output_warn("token %u does not open %s: %s", same->id, run->luks->name,
			    run->fresh.unproven);
	code = wipe_replaced(run, &held);
	signals_release(&held);
	return code;
}

static enum exit_code follow(const struct run *run, enum exit_code code)
{
	return follow_binding(run->luks, run->options, &run->fresh.token, code, run->out);
}

/* A new volume key, after which the header is another one; what opens it is known then. */
static int reencrypt(struct run *run)
{
	int r;

	r = reencrypt_first(run->luks, run->options, run->out, &run->volume_key);
	inventory_done(&run->inventory);
	if (r == 0)
		r = inventory_read(run->luks, &run->inventory);
	return r == 0 ? check_free(run) : r;
}

enum exit_code verb_enroll(const struct options *options, struct output *out)
{
	CLEANUP(run_done) struct run run = {.options = options, .out = out};
	struct fresh_wish wish;
	const struct item *same;
	struct signals held;
	enum exit_code code;
	int r;

	r = look(&run);
	if (r == 0)
		r = prepare(&run);
	if (r == 0) {
		wish = wish_of(&run);
		r = fresh_seal(&wish, &out->log, &run.fresh);
	}
	if (r < 0)
		return EXIT_CODE_FAILED;

	same = find_same(&run, /* orphaned= */ false);
	if (!same && fresh_try(&wish, &out->log, &run.fresh) < 0)
		return EXIT_CODE_FAILED;
	if (options->reencrypt) {
		if (reencrypt(&run) < 0)
			return EXIT_CODE_FAILED;
		same = find_same(&run, /* orphaned= */ false);
	}
	if (same)
		return follow(&run, replace_by(&run, same));

	if (second_pin_check(run.luks, &run.inventory, options, run.outgoing, NULL) < 0 ||
	    choose_token(&run) < 0 ||
	    (!options->reencrypt && unlock(run.luks, options, &run.volume_key) < 0))
		return EXIT_CODE_FAILED;

	signals_hold(&held, false);
	code = commit(&run, &held);
	signals_release(&held);
	return follow(&run, code);
}
