/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --report: recovers through each token, surveys its servers, and tells how it is doing. */
#include "enroll/health.h"

#include "enroll/early.h"
#include "enroll/verbs.h"

#include <errno.h>

const char *health_name(enum health health)
{
	static const char *const names[] = {
		[HEALTH_OK] = "ok",
		[HEALTH_DUE] = "due",
		[HEALTH_FAILING] = "failing",
		[HEALTH_FAILED] = "failed",
	};

	return names[health];
}

static enum health survey_health(const struct survey *survey)
{
	if (!survey || survey->state == SURVEY_CURRENT)
		return HEALTH_OK;
	return survey->state == SURVEY_CHANGED ? HEALTH_DUE : HEALTH_FAILING;
}

/* `ret_name` is what is said of it. */
static enum health leaf_health(const struct trial *trial, const struct job *job,
			       const json_t *facts, const char **ret_name)
{
	enum health health = survey_health(job->survey);

	if (job->result == -ENOANO && !trial->pin_given) {
		*ret_name = "wants a PIN";
		return HEALTH_OK;
	}
	if (job->result < 0 && early_leaf(facts)) {
		*ret_name = "early";
		return HEALTH_OK;
	}
	if (job->result < 0)
		health = HEALTH_FAILING;
	*ret_name = health_name(health);
	return health;
}

/* A policy is as well as the worst of its parts, unless these do not fit together. */
static enum health part_health(const struct trial *trial, const struct job *job,
			       const json_t *facts, json_t *report)
{
	enum health worst = job->result == -EBADMSG ? HEALTH_FAILING : HEALTH_OK;
	const char *name = NULL;

	if (job->n_children == 0)
		worst = leaf_health(trial, job, facts, &name);
	for (size_t i = 0; i < job->n_children; i++) {
		enum health health =
			part_health(trial, &job->children[i],
				    json_array_get(json_object_get(facts, "shares"), i),
				    json_array_get(json_object_get(report, "shares"), i));

		if (health > worst)
			worst = health;
	}
	(void)json_object_set_new(report, "health", json_string(name ? name : health_name(worst)));
	return worst;
}

enum health health_judge(const struct trial *trial, const json_t *facts, json_t *report)
{
	bool waits = trial->wants_pin && !trial->pin_given;
	bool holds = trial->result == TRIAL_OPENS || trial->result == TRIAL_EARLY || waits;
	enum health health = HEALTH_FAILED;

	if (trial->asked)
		health = part_health(trial, &trial->job, facts, report);
	return holds ? health : HEALTH_FAILED;
}

/* Takes `facts` and `report`, either of which may be NULL. */
static json_t *token_json(const struct item *item, const struct trial *trial, const char *health,
			  json_t *facts, json_t *report)
{
	static const char *const results[] = {
		[TRIAL_OPENS] = "ok",
		[TRIAL_EARLY] = "early",
		[TRIAL_AWAY] = "unreachable",
		[TRIAL_FAILS] = "failed",
	};
	bool waits = trial->wants_pin && !trial->pin_given;

	return json_pack("{s:i, s:s, s:o, s:s, s:s, s:s*, s:o*, s:o*}", "token", (int)item->id,
			 "type", item->type, "keyslots", inventory_numbers(item->keyslots),
			 "health", health, "result", waits ? "wants a PIN" : results[trial->result],
			 "cause", trial->result == TRIAL_OPENS ? NULL : trial->why, "facts", facts,
			 "report", report);
}

/* One that no keyslot belongs to is named and does not count: nobody relies on it. */
static int report_orphan(const struct item *item, json_t *tokens)
{
	const struct trial trial = {
		.result = TRIAL_FAILS,
		.why = "no keyslot belongs to it; --wipe-slot=orphaned removes it",
	};

	return json_array_append_new(tokens, token_json(item, &trial, "orphaned",
							inventory_facts(item), NULL)) == 0
		       ? 0
		       : -ENOMEM;
}

static int report_item(struct luks *luks, const struct item *item, json_t *tokens, enum health *ret)
{
	CLEANUP(trial_done) struct trial trial = {.survey = true};
	json_t *facts, *report = NULL;
	enum health health;

	trial_run_asking(luks, item, &trial);
	if (trial.asked && token_report(&trial.job, &report) < 0)
		return -ENOMEM;

	facts = inventory_facts(item);
	if (trial.result == TRIAL_FAILS && trial.asked && early(facts, &trial.job))
		trial.result = TRIAL_EARLY;
	health = health_judge(&trial, facts, report);
	if (json_array_append_new(tokens,
				  token_json(item, &trial, health_name(health), facts, report)) < 0)
		return -ENOMEM;

	*ret = health;
	return 0;
}

/* Every cotter token, or the one that is named; the worst decides. */
static int report_all(struct luks *luks, const struct inventory *inventory, int token,
		      json_t *tokens, enum health *ret)
{
	enum health worst = HEALTH_OK;

	for (size_t i = 0; i < inventory->n; i++) {
		const struct item *item = &inventory->items[i];
		enum health health = HEALTH_OK;
		int r;

		if (!item->ours || (token != OPTIONS_ANY && (int)item->id != token))
			continue;
		r = item->valid && item->keyslots == 0 ? report_orphan(item, tokens)
						       : report_item(luks, item, tokens, &health);
		if (r < 0)
			return r;
		if (health > worst)
			worst = health;
	}
	*ret = worst;
	return 0;
}

enum exit_code verb_report(const struct options *options, struct output *out)
{
	static const enum exit_code codes[] = {
		[HEALTH_OK] = EXIT_CODE_OK,
		[HEALTH_DUE] = EXIT_CODE_DUE,
		[HEALTH_FAILING] = EXIT_CODE_FAILING,
		[HEALTH_FAILED] = EXIT_CODE_POLICY_FAILS,
	};
	CLEANUP(inventory_done) struct inventory inventory = {0};
	CLEANUP(luks_freep) struct luks *luks = NULL;
	json_t *tokens = json_array();
	enum health health = HEALTH_OK;
	int r;

	if (json_object_set_new(out->json, "tokens", tokens) < 0)
		return EXIT_CODE_FAILED;

	r = luks_open(options->device, options->header, false, &out->log, &luks);
	if (r == 0)
		r = inventory_read(luks, &inventory);
	if (r == 0)
		r = inventory_check_ours(&inventory, luks, options->token);
	if (r == 0)
		r = report_all(luks, &inventory, options->token, tokens, &health);
	if (r == 0 &&
	    json_object_set_new(out->json, "health", json_string(health_name(health))) < 0)
		r = -ENOMEM;

	return r < 0 ? EXIT_CODE_FAILED : codes[health];
}
