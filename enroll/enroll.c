/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new binding: sealed, rehearsed, written, proven, and only then what it replaces is removed. */
#include "enroll/crypttab-step.h"
#include "enroll/excuse.h"
#include "enroll/luks-bind.h"
#include "enroll/proof.h"
#include "enroll/reencrypt.h"
#include "enroll/same.h"
#include "enroll/sequence.h"
#include "enroll/trial.h"
#include "enroll/trust.h"
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
	struct buf secret;  /* of the new keyslot */
	struct token token; /* that holds it sealed */
	char *json;         /* the same as text */
	struct buf volume_key;
	struct bound bound;
	char unproven[LOG_LINE_MAX]; /* why the proof could not be made; empty where it was */
};

static void run_done(struct run *run)
{
	run->luks = luks_free(run->luks);
	inventory_done(&run->inventory);
	buf_done(&run->user_pin);
	buf_done(&run->secret);
	token_done(&run->token);
	free(run->json);
	buf_done(&run->volume_key);
}

static int check_free(const struct run *run)
{
	const struct options *options = run->options;
	uint32_t taken = run->inventory.active | run->inventory.unbound;

	if (options->keyslot != OPTIONS_ANY && taken & UINT32_C(1) << options->keyslot)
		return log_err(&run->out->log, -EEXIST, "keyslot %d of %s is taken",
			       options->keyslot, run->luks->name);
	if (options->token != OPTIONS_ANY &&
	    inventory_find(&run->inventory, (unsigned)options->token))
		return log_err(&run->out->log, -EEXIST, "token id %d of %s is taken",
			       options->token, run->luks->name);
	return 0;
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

	r = marks_of(&run->inventory, run->wipe.tokens, &marks);
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
		r = inventory_read(run->luks, &run->inventory);
	if (r == 0)
		r = check_free(run);
	if (r == 0 && options->wipe)
		r = wipe_plan(run->luks, &run->inventory, &options->selection, &run->wipe);
	if (r == 0)
		r = check_room(run);
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
	return r;
}

/* A new secret, sealed under the pin and opened again in memory. */
static int seal(struct run *run)
{
	const struct options *options = run->options;
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = pins,
		.log = &run->out->log,
		.deadline_us = now_us() + (uint64_t)TOKEN_DEADLINE_DEFAULT * USEC_PER_SEC,
		.user_pin = buf_ref(&run->user_pin),
		.confirm = trust_confirm,
		.confirm_arg = &run->out->log,
	};
	int r;

	r = token_new_secret(&run->secret);
	if (r < 0)
		return log_err(&run->out->log, r, "no random secret could be made: %s",
			       strerror(-r));

	r = pin_seal(&cot, options->pin, options->config, buf_ref(&run->secret), &run->token.jwe);
	if (r < 0)
		return r;

	run->token.pin = pin_find(pins, run->token.jwe.hdr);
	run->token.deadline = TOKEN_DEADLINE_DEFAULT;
	if (options->label) {
		run->token.label = strdup(options->label);
		if (!run->token.label)
			return -ENOMEM;
	}
	return token_format(&run->token, &run->json);
}

/*
 * Recovers through what was just sealed, so that a server or a TPM that cannot do its part is known
 * before anything is written.
 */
static int try_sealed(struct run *run)
{
	CLEANUP(buf_done) struct buf secret = {0};
	CLEANUP(trial_done) struct trial trial = {0};
	int r;

	r = trial_recover(&run->token, buf_ref(&run->user_pin), &trial, &secret);
	if (r == 0 && !ref_equal(buf_ref(&secret), buf_ref(&run->secret)))
		return log_err(&run->out->log, -EIO, "another secret came back than was sealed");
	if (r == 0)
		return 0;

	if (excused(run->options->pin, run->options->config, &trial.job)) {
		(void)snprintf(run->unproven, sizeof(run->unproven), "%s", trial.why);
		return 0;
	}
	return log_err(&run->out->log, r, "%s; nothing was changed", trial.why);
}

/* The token that already binds the same, or NULL; one that is to be replaced does not count. */
static const struct item *find_same(const struct run *run)
{
	for (size_t i = 0; i < run->inventory.n; i++) {
		const struct item *item = &run->inventory.items[i];

		if (item->valid && item->keyslots != 0 &&
		    !(run->wipe.tokens & UINT32_C(1) << item->id) &&
		    same_binding(item->token.jwe.hdr, run->token.jwe.hdr))
			return item;
	}
	return NULL;
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

	output_say(run->out,
		   "%s is already bound so by token %u (test it with --test); nothing was changed",
		   options->device, item->id);
	if (options->user_pin)
		output_warn("its PIN is the one that it had; to change it, add --wipe-slot=%u",
			    (unsigned)__builtin_ctz(item->keyslots));
	if (run->wipe.keyslots != 0 || run->wipe.tokens != 0)
		output_warn("what --wipe-slot selects was kept; to remove it, give --wipe-slot "
			    "alone");
	return report(run->out, item->id, (unsigned)__builtin_ctz(item->keyslots), "present", NULL);
}

/* Whether the secret in memory, at least, opens the new keyslot. */
static int prove_in_memory(struct run *run)
{
	int r;

	r = luks_keyslot_opens(run->luks, run->bound.keyslot, buf_ref(&run->secret));
	if (r < 0)
		return log_err(&run->out->log, r,
			       "the new keyslot does not open, so the binding is removed again");
	return 0;
}

/* Whether what was written can stay: proven, or unproven because a server is out of reach alone. */
static int prove(struct run *run, const struct signals *held)
{
	char why[LOG_LINE_MAX] = "";
	int r;

	if (run->unproven[0])
		return prove_in_memory(run);

	r = proof_run(run->options, run->bound.token, buf_ref(&run->user_pin), held, why);
	if (r == 0)
		return 0;
	if (r == -EAGAIN && run->options->saved) {
		(void)snprintf(run->unproven, sizeof(run->unproven), "%s", why);
		return prove_in_memory(run);
	}
	return log_err(&run->out->log, r,
		       "the new binding was not proven, so it is removed again: %s", why);
}

static int write_and_prove(struct run *run, const struct signals *held)
{
	const struct options *options = run->options;
	const struct binding binding = {
		.json = run->json,
		.secret = buf_ref(&run->secret),
		.volume_key = buf_ref(&run->volume_key),
		.pbkdf = options->pbkdf,
		.keyslot = options->keyslot,
		.token = options->token,
	};
	int r;

	r = luks_bind_rehearse(run->luks, &binding);
	if (r == 0 && signals_came(held))
		return -EINTR;
	if (r == 0)
		r = luks_bind_make(run->luks, &binding, &run->bound);
	if (r < 0)
		return r;

	r = prove(run, held);
	if (r == 0 && signals_came(held))
		r = log_err(&run->out->log, -EINTR,
			    "interrupted; the new binding is removed again");
	if (r < 0 && luks_bind_undo(run->luks, &binding) == 0)
		output_say(run->out, "%s is as it was before", run->luks->name);
	return r;
}

static int report_bound(struct run *run)
{
	const struct bound *bound = &run->bound;
	bool proven = !run->unproven[0];

	if (proven)
		output_say(
			run->out,
			"bound %s: token %u, keyslot %u, proven by opening it in a fresh process",
			run->options->device, bound->token, bound->keyslot);
	else
		output_warn(
			"bound %s: token %u, keyslot %u, but unproven: %s; run --test once it %s",
			run->options->device, bound->token, bound->keyslot, run->unproven,
			run->options->later ? "holds" : "is in reach");
	return report(run->out, bound->token, bound->keyslot, proven ? "proven" : "unproven",
		      proven ? NULL : run->unproven);
}

/* With signals held, from the first byte that is written to the last that is removed. */
static enum exit_code commit(struct run *run, const struct signals *held)
{
	if (write_and_prove(run, held) < 0 || report_bound(run) < 0)
		return EXIT_CODE_FAILED;
	if (!run->options->wipe)
		return EXIT_CODE_OK;

	if (run->unproven[0]) {
		output_warn("what --wipe-slot selects was kept, because the new binding is "
			    "unproven");
		return EXIT_CODE_AWAY;
	}
	return wipe_do(run->luks, &run->wipe, held, run->out) < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

/* Local tokens before those that need the network, where the new one may stand behind such. */
static int set_order(const struct run *run, bool bound)
{
	const struct options *options = run->options;
	struct signals held;
	int r;

	if (!options->reorder && (!bound || !sequence_is_local(&run->token)))
		return sequence_warn(run->luks);

	signals_hold(&held, false);
	r = sequence_set(run->luks, options->reorder, &held, run->out);
	signals_release(&held);
	return r < 0 || options->reorder ? r : sequence_warn(run->luks);
}

/* What follows a binding that was made, or (not `bound`) was there, and takes nothing from it. */
static enum exit_code follow(const struct run *run, bool bound, enum exit_code code)
{
	const struct options *options = run->options;
	const struct log *log = &run->out->log;

	if (code != EXIT_CODE_OK && code != EXIT_CODE_AWAY)
		return code;
	if (set_order(run, bound) < 0) {
		(void)log_err(log, 0,
			      "the binding stays, but the order of tokens is not right; run "
			      "--reorder alone once that is mended");
		code = EXIT_CODE_FAILED;
	}
	if (options->crypttab && crypttab_step_do(run->luks, options, run->out) < 0) {
		(void)log_err(log, 0,
			      "the binding stays, but crypttab is as it was; run --crypttab alone "
			      "once that is mended");
		code = EXIT_CODE_FAILED;
	}
	return code;
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
	const struct item *same;
	struct signals held;
	enum exit_code code;
	int r;

	r = look(&run);
	if (r == 0)
		r = prepare(&run);
	if (r == 0)
		r = seal(&run);
	if (r < 0)
		return EXIT_CODE_FAILED;

	if (!find_same(&run) && try_sealed(&run) < 0)
		return EXIT_CODE_FAILED;
	if (options->reencrypt && reencrypt(&run) < 0)
		return EXIT_CODE_FAILED;

	same = find_same(&run);
	if (same)
		return report_same(&run, same) < 0 ? EXIT_CODE_FAILED
						   : follow(&run, false, EXIT_CODE_OK);

	if (!options->reencrypt && unlock(run.luks, options, &run.volume_key) < 0)
		return EXIT_CODE_FAILED;

	signals_hold(&held, false);
	code = commit(&run, &held);
	signals_release(&held);
	return follow(&run, true, code);
}
