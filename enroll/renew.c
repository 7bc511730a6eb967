/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --renew: bindings made again, each through itself, with a new secret under its old id. */
#include "enroll/early.h"
#include "enroll/fresh.h"
#include "enroll/leftover.h"
#include "enroll/luks-takeover.h"
#include "enroll/renewal.h"
#include "enroll/tree.h"
#include "enroll/trial.h"
#include "enroll/unlock.h"
#include "enroll/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* One run over all tokens. */
struct run {
	const struct options *options;
	struct output *out;
	struct luks *luks;
	json_t *tokens; /* of the result; borrowed */
	struct renewal_wishes wishes;
	struct log log; /* keeps the last line, to be told with its token */
	char why[LOG_LINE_MAX];
};

/* One token on its way. */
struct attempt {
	struct run *run;
	const struct item *item;
	struct trial trial;
	struct trial_gain gain;
	struct renewal renewal;
	struct fresh fresh;
	struct buf volume_key;
	json_t *extras; /* the token's "cotter" member */
	struct luks_takeover takeover;
	struct bound bound;
};

static void attempt_freep(struct attempt **attempt)
{
	struct attempt *a = *attempt;

	if (!a)
		return;
	trial_done(&a->trial);
	trial_gain_done(&a->gain);
	renewal_done(&a->renewal);
	fresh_done(&a->fresh);
	buf_done(&a->volume_key);
	json_decref(a->extras);
	luks_takeover_done(&a->takeover);
	free(a);
}

static void why_sink(void *to, enum log_level level, const char *line)
{
	struct run *run = to;

	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(run->why, sizeof(run->why), "%s", line);
}

/* What became of a token; the sentence, if any, goes to where its weight belongs. */
static enum exit_code end(const struct attempt *a, const char *state, const char *cause,
			  enum exit_code code)
{
	const struct run *run = a->run;
	unsigned id = a->item->id;
	bool renewed = strcmp(state, "renewed") == 0, listed = true;
	json_t *result = json_pack("{s:i, s:s, s:s*, s:O*}", "token", (int)id, "state", state,
				   "cause", cause, "leaves", a->renewal.leaves);

	if (renewed && json_object_set_new(result, "keyslot", json_integer(a->bound.keyslot)) != 0)
		listed = false;
	if (json_array_append_new(run->tokens, result) != 0)
		listed = false;
	if (cause && code != EXIT_CODE_OK)
		(void)log_err(&run->out->log, 0, "token %u is not renewed: %s", id, cause);
	else if (cause)
		output_warn("token %u is not renewed: %s", id, cause);
	else if (!listed)
		(void)log_err(&run->out->log, 0, "token %u is %s, which cannot be listed: %s", id,
			      state, strerror(ENOMEM));
	return listed ? code : EXIT_CODE_FAILED;
}

/* A leaf that was kept as it was, whose server could not be asked, is named. */
static void name_leaves(const struct attempt *a)
{
	const json_t *leaf;
	size_t i;

	json_array_foreach(a->renewal.leaves, i, leaf) {
		const char *where = js_str(leaf, "where"), *cause = js_str(leaf, "cause");

		if (cause && strcmp(js_str(leaf, "state"), "unreachable") == 0)
			output_warn("token %u: what is bound to %.200s stays so: %s", a->item->id,
				    where ? where : js_str(leaf, "pin"), cause);
	}
}

static int read_extras(struct attempt *a)
{
	CLEANUP_JSON json_t *token = NULL;
	const char *type, *json;
	int r;

	r = luks_token(a->run->luks, a->item->id, &type, &json);
	if (r == 0)
		r = js_load(ref_str(json), &token);
	if (r == 0)
		a->extras = json_incref(json_object_get(token, "cotter"));
	return r;
}

static struct fresh_wish wish_of(const struct attempt *a)
{
	return (struct fresh_wish){
		.pin = a->renewal.pin,
		.config = a->renewal.config,
		.label = a->item->token.label,
		.deadline = a->item->token.deadline,
		.extras = a->extras,
		.user_pin = buf_ref(&a->gain.user_pin),
		.saved = true,
	};
}

/* The new in the place of the old, which it is only once it is proven, or the user forces it. */
static int write_and_prove(struct attempt *a, const struct signals *held)
{
	struct run *run = a->run;
	const struct fresh_wish wish = wish_of(a);
	int r;

	r = luks_takeover_rehearse(run->luks, &a->takeover);
	if (r == 0 && signals_came(held))
		r = log_err(&run->log, -EINTR, "interrupted; nothing was changed");
	if (r == 0)
		r = luks_takeover_begin(run->luks, &a->takeover, &a->bound);
	if (r < 0)
		return r;

	r = fresh_prove(&wish, run->options, run->luks, &a->bound, held, &a->fresh);
	if (r == 0 && a->fresh.unproven[0] && !run->options->force)
		r = log_err(&run->log, -EAGAIN, "what is new cannot be proven now: %s",
			    a->fresh.unproven);
	if (r == 0 && signals_came(held))
		r = log_err(&run->log, -EINTR, "interrupted; all is as it was before");
	if (r < 0)
		return luks_takeover_undo(run->luks, &a->takeover, &a->bound) < 0 ? -EIO : r;
	return luks_takeover_finish(run->luks, &a->takeover, &a->bound);
}

static enum exit_code code_of(int r)
{
	return pin_may_pass(r) || r == -EAGAIN || r == -ENOANO ? EXIT_CODE_AWAY : EXIT_CODE_FAILED;
}

static enum exit_code end_with(const struct attempt *a, int r)
{
	enum exit_code code = code_of(r);
	const char *why = a->run->why[0] ? a->run->why : strerror(-r);

	return end(a, code == EXIT_CODE_AWAY ? "kept" : "failed", why, code);
}

/* With all that is decided: seals, tries, and puts it in the old one's place. */
static enum exit_code make(struct attempt *a)
{
	struct run *run = a->run;
	unsigned old = a->takeover.keyslot;
	struct fresh_wish wish;
	struct signals held;
	int r;

	r = read_extras(a);
	wish = wish_of(a);
	if (r == 0)
		r = fresh_seal(&wish, &run->log, &a->fresh);
	if (r == 0)
		r = fresh_try(&wish, &run->log, &a->fresh);
	if (r == 0 && a->fresh.unproven[0] && !run->options->force)
		r = log_err(&run->log, -EAGAIN,
			    "what is new cannot be proven now: %s; --force renews it all the same",
			    a->fresh.unproven);
	if (r < 0)
		return end_with(a, r);

	a->takeover.binding = (struct binding){
		.json = a->fresh.json,
		.secret = buf_ref(&a->fresh.secret),
		.volume_key = buf_ref(&a->volume_key),
		.pbkdf = run->options->pbkdf,
		.keyslot = LUKS_ANY,
		.token = LUKS_ANY,
	};
	signals_hold(&held, false);
	r = write_and_prove(a, &held);
	signals_release(&held);
	if (r < 0)
		return end_with(a, r);

	output_say(run->out, "renewed token %u: keyslot %u in place of %u, %s%s", a->item->id,
		   a->bound.keyslot, old,
		   a->fresh.unproven[0] ? "but unproven: "
					: "proven by opening it in a fresh process",
		   a->fresh.unproven);
	name_leaves(a);
	return end(a, "renewed", NULL, EXIT_CODE_OK);
}

/* The one wish that says by itself what a token of one server is bound to; NULL: there is none. */
static const struct leaf_wish *whole_wish(const struct attempt *a)
{
	const struct options *options = a->run->options;
	const struct token *token = &a->item->token;
	const struct pin_options *of = pin_options_find(token->pin->name);

	if (!options->unlock_key_file && !options->unlock_token)
		return NULL;
	for (size_t i = 0; of && of->is_about && i < options->n_wishes; i++) {
		const struct leaf_wish *wish = &options->wishes[i];

		if (strcmp(wish->pin, of->pin) == 0 && wish->texts[0] &&
		    of->is_about(wish->texts, token->jwe.hdr)) {
			a->run->wishes.used |= UINT64_C(1) << i;
			return wish;
		}
	}
	return NULL;
}

/*
 * Without the token's secret nothing that it says of itself is believed: what the new one is bound to is
 * what the user says alone, and another credential opens the volume.
 */
static enum exit_code make_as_told(struct attempt *a, const struct leaf_wish *wish)
{
	struct run *run = a->run;
	const struct pin_options *of = pin_options_find(wish->pin);
	int r;

	a->renewal.pin = wish->pin;
	r = of->read(wish->texts, &run->log, &a->renewal.config);
	if (r == 0)
		r = unlock(run->luks, run->options, &a->volume_key);
	return r < 0 ? end_with(a, r) : make(a);
}

static enum exit_code without_secret(struct attempt *a)
{
	CLEANUP_JSON json_t *facts = NULL;
	const struct leaf_wish *wish = whole_wish(a);
	char why[LOG_LINE_MAX];

	if (wish)
		return make_as_told(a, wish);
	if (a->trial.result == TRIAL_AWAY)
		return end(a, "kept", a->trial.why, EXIT_CODE_AWAY);

	facts = inventory_facts(a->item);
	if (a->trial.asked && early(facts, &a->trial.job))
		(void)snprintf(why, sizeof(why),
			       "it holds only before switch-root, and a token is renewed through "
			       "itself; --replace=%u with its policy replaces it",
			       a->item->id);
	else
		(void)snprintf(why, sizeof(why),
			       "%.380s; a token is renewed through itself; --replace=%u with its "
			       "policy replaces it",
			       a->trial.why, a->item->id);
	return end(a, "failed", why, EXIT_CODE_FAILED);
}

/* Its secret opened its keyslot, so that what it says of itself holds. */
static enum exit_code with_secret(struct attempt *a)
{
	struct run *run = a->run;
	struct renewal *renewal = &a->renewal;
	int r;

	r = renewal_plan(&a->item->token, &a->trial.job, run->options, renewal, &run->wishes);
	if (r < 0)
		return EXIT_CODE_FAILED;
	if (renewal->error == -EKEYREJECTED || renewal->error == -EINVAL)
		return end(a, "kept", renewal->why, EXIT_CODE_FAILED);
	if (!renewal->due && !run->options->force) {
		name_leaves(a);
		output_say(run->out, "token %u needs no renewal", a->item->id);
		return end(a, "not-due", NULL, EXIT_CODE_OK);
	}
	if (renewal->error != 0)
		return end(a, "kept", renewal->why, code_of(renewal->error));
	if (renewal->wants_pin)
		return end(a, "kept", "a part of it takes a PIN, which must be typed for it",
			   EXIT_CODE_AWAY);

	a->takeover.secret = buf_ref(&a->gain.secret);
	r = luks_unlock_keyslot(run->luks, (int)a->gain.keyslot, buf_ref(&a->gain.secret),
				&a->volume_key);
	return r < 0 ? end_with(a, r) : make(a);
}

static enum exit_code renew(struct run *run, const struct item *item)
{
	CLEANUP(attempt_freep) struct attempt *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return EXIT_CODE_FAILED;
	a->run = run;
	a->item = item;
	run->why[0] = '\0';
	if (item->valid && item->keyslots == 0)
		return end(a, "kept", "no keyslot belongs to it; --wipe-slot=orphaned removes it",
			   EXIT_CODE_OK);
	if (!item->valid)
		return end(a, "failed", item->why, EXIT_CODE_FAILED);
	a->takeover.token = item->id;
	r = luks_takeover_possible(run->luks, item->id, &a->takeover.keyslot);
	if (r < 0)
		return end_with(a, r);

	a->trial.survey = true;
	trial_open_asking(run->luks, item, true, &a->trial, &a->gain);
	return a->gain.secret.p ? with_secret(a) : without_secret(a);
}

static enum exit_code check_wishes(const struct run *run)
{
	const struct options *options = run->options;
	enum exit_code code = EXIT_CODE_OK;

	for (size_t i = 0; i < options->n_wishes; i++) {
		const struct leaf_wish *wish = &options->wishes[i];

		if (run->wishes.used & UINT64_C(1) << i)
			continue;
		(void)log_err(&run->out->log, 0, "nothing that was renewed is about %s%s%s",
			      wish->pin, wish->texts[0] ? " " : "",
			      wish->texts[0] ? wish->texts[0] : "");
		code = EXIT_CODE_FAILED;
	}
	return code;
}

/* Each cotter token, or the one that is named; a failure weighs more than what is away. */
static enum exit_code renew_all(struct run *run)
{
	CLEANUP(inventory_done) struct inventory inventory = {0};
	const struct options *options = run->options;
	enum exit_code worst, code;

	if (inventory_read(run->luks, &inventory) < 0)
		return EXIT_CODE_FAILED;
	if (inventory_check_ours(&inventory, run->luks, options->token) < 0) {
		(void)log_err(&run->out->log, 0, "%s", run->why);
		return EXIT_CODE_FAILED;
	}
	worst = EXIT_CODE_OK;
	for (size_t i = 0; i < inventory.n; i++) {
		const struct item *item = &inventory.items[i];

		if (!item->ours ||
		    (options->token != OPTIONS_ANY && (int)item->id != options->token))
			continue;
		code = renew(run, item);
		if (worst != EXIT_CODE_FAILED && code != EXIT_CODE_OK)
			worst = code;
	}
	code = check_wishes(run);
	return code != EXIT_CODE_OK ? code : worst;
}

enum exit_code verb_renew(const struct options *options, struct output *out)
{
	struct run run = {.options = options, .out = out};
	CLEANUP(luks_freep) struct luks *luks = NULL;
	int r;

	run.log = (struct log){.sink = why_sink, .to = &run};
	run.tokens = json_array();
	if (json_object_set_new(out->json, "tokens", run.tokens) < 0)
		return EXIT_CODE_FAILED;

	r = luks_open(options->device, options->header, true, &run.log, &luks);
	run.luks = luks;
	if (r == 0)
		r = leftover_clear(luks, out);
	if (r < 0) {
		(void)log_err(&out->log, 0, "%s", run.why);
		return EXIT_CODE_FAILED;
	}
	return renew_all(&run);
}
