/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --test: recovers through each token now and tells which work. */
#include "enroll/early.h"
#include "enroll/trial.h"
#include "enroll/user-pin.h"
#include "enroll/verbs.h"

#include <unistd.h>

/* Takes `facts`, which are NULL where they are not wanted. */
static json_t *trial_json(const struct item *item, const struct trial *trial, json_t *facts)
{
	static const char *const results[] = {
		[TRIAL_OPENS] = "ok",
		[TRIAL_EARLY] = "early",
		[TRIAL_AWAY] = "unreachable",
		[TRIAL_FAILS] = "failed",
	};

	json_t *report = NULL;

	if (trial->asked && token_report(&trial->job, &report) < 0) {
		json_decref(facts);
		return NULL;
	}
	return json_pack("{s:i, s:s, s:o, s:s, s:f, s:s*, s:o*, s:o*}", "token", (int)item->id,
			 "type", item->type, "keyslots", inventory_numbers(item->keyslots),
			 "result", results[trial->result], "milliseconds",
			 (double)trial->took_us / (double)USEC_PER_MSEC, "cause",
			 trial->result == TRIAL_OPENS ? NULL : trial->why, "facts", facts, "report",
			 report);
}

/* The binding's own process has the PIN, if any, at its standard input. */
static int try_item(struct luks *luks, const struct item *item, const struct options *options,
		    struct trial *ret)
{
	CLEANUP(buf_done) struct buf user_pin = {0};
	int r;

	if (!options->proof) {
		trial_run_asking(luks, item, ret);
		return 0;
	}

	r = user_pin_receive(STDIN_FILENO, &user_pin);
	if (r < 0)
		return log_err(luks->log, r, "the PIN could not be handed on: %s", strerror(-r));
	trial_run(luks, item, user_pin.n > 0 ? buf_ref(&user_pin) : (struct ref){0}, ret);
	return 0;
}

/* Tries every cotter token, or the one that is named; the worst outcome decides. */
static enum exit_code test_all(struct luks *luks, const struct inventory *inventory,
			       const struct options *options, json_t *tests)
{
	static const enum exit_code codes[] = {
		[TRIAL_OPENS] = EXIT_CODE_OK,
		[TRIAL_EARLY] = EXIT_CODE_OK,
		[TRIAL_AWAY] = EXIT_CODE_AWAY,
		[TRIAL_FAILS] = EXIT_CODE_BROKEN,
	};
	enum exit_code worst = EXIT_CODE_OK;

	for (size_t i = 0; i < inventory->n; i++) {
		const struct item *item = &inventory->items[i];
		CLEANUP(trial_done) struct trial trial = {0};
		json_t *facts;

		if (!item->ours ||
		    (options->token != OPTIONS_ANY && (int)item->id != options->token))
			continue;
		if (try_item(luks, item, options, &trial) < 0)
			return EXIT_CODE_FAILED;
		/* A proof is of what holds now, and wants no second conversation with the TPM. */
		facts = options->proof ? NULL : inventory_facts(item);
		if (trial.result == TRIAL_FAILS && trial.asked && early(facts, &trial.job))
			trial.result = TRIAL_EARLY;
		if (codes[trial.result] > worst)
			worst = codes[trial.result];
		if (json_array_append_new(tests, trial_json(item, &trial, facts)) < 0)
			return EXIT_CODE_FAILED;
	}
	return worst;
}

enum exit_code verb_test(const struct options *options, struct output *out)
{
	CLEANUP(inventory_done) struct inventory inventory = {0};
	CLEANUP(luks_freep) struct luks *luks = NULL;
	json_t *tests = json_array();
	int r;

	if (json_object_set_new(out->json, "tokens", tests) < 0)
		return EXIT_CODE_FAILED;

	r = luks_open(options->device, options->header, false, &out->log, &luks);
	if (r == 0)
		r = inventory_read(luks, &inventory);
	if (r == 0 && options->proof && options->token != OPTIONS_ANY)
		r = inventory_adopt(&inventory, luks, (unsigned)options->token);
	if (r == 0)
		r = inventory_check_ours(&inventory, luks, options->token);
	if (r < 0)
		return EXIT_CODE_FAILED;

	return test_all(luks, &inventory, options, tests);
}
