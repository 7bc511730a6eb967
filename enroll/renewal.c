/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks a token's header and its recovery side by side, and asks the pins. */
#include "enroll/renewal.h"

#include "enroll/tree.h"

#include <errno.h>
#include <stdio.h>

void renewal_done(struct renewal *renewal)
{
	json_decref(renewal->config);
	json_decref(renewal->leaves);
	*renewal = (struct renewal){0};
}

struct plan {
	const struct options *options;
	struct renewal *renewal;
	struct renewal_wishes *wishes;
};

static void keep_why(void *to, enum log_level level, const char *line)
{
	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(to, LOG_LINE_MAX, "%s", line);
}

/* The greater says more: what was asked for is unclear, a server is not to be trusted, something is away. */
static int rank(int error)
{
	return error == 0 ? 0 : error == -EINVAL ? 3 : error == -EKEYREJECTED ? 2 : 1;
}

static void fail(struct plan *plan, int error, const char *why)
{
	struct renewal *renewal = plan->renewal;

	if (rank(error) <= rank(renewal->error))
		return;
	renewal->error = error;
	(void)snprintf(renewal->why, sizeof(renewal->why), "%s", why);
}

/* Whether a wish without a URL could be about another server than it was. */
static bool ambiguous(struct plan *plan, const struct leaf_wish *wish, const struct pin_options *of,
		      const struct job *job)
{
	char *where = plan->wishes->where;

	if (wish->texts[0] || !of->is_about)
		return false;
	if (!*where)
		(void)snprintf(where, sizeof(plan->wishes->where), "%s", job->where);
	return strcmp(where, job->where) != 0;
}

/* What was given of this leaf; of nothing an array of NULLs. NULL: that is not clear. */
static const char *const *texts_of(struct plan *plan, const struct pin_options *of,
				   const json_t *hdr, const struct job *job)
{
	static const char *const none[PIN_OPTIONS_MAX];

	for (size_t i = 0; i < plan->options->n_wishes; i++) {
		const struct leaf_wish *wish = &plan->options->wishes[i];

		if (strcmp(wish->pin, of->pin) != 0 ||
		    (of->is_about && !of->is_about(wish->texts, hdr)))
			continue;
		plan->wishes->used |= UINT64_C(1) << i;
		return ambiguous(plan, wish, of, job) ? NULL : wish->texts;
	}
	return none;
}

static const char *state_of(const struct survey *survey, bool due)
{
	static const char *const names[] = {
		[SURVEY_CURRENT] = "current",
		[SURVEY_CHANGED] = "changed",
		[SURVEY_UNTRUSTED] = "untrusted",
		[SURVEY_UNREACHABLE] = "unreachable",
	};

	return survey ? names[survey->state] : due ? "changed" : "kept";
}

static int say_leaf(struct plan *plan, const struct job *job, const char *pin, const char *state,
		    const char *cause)
{
	json_t *leaf = json_pack("{s:s, s:s*, s:s, s:s*}", "pin", pin, "where",
				 job->where[0] ? job->where : NULL, "state", state, "cause",
				 cause && *cause ? cause : NULL);

	return json_array_append_new(plan->renewal->leaves, leaf) == 0 ? 0 : -ENOMEM;
}

static int plan_leaf(struct plan *plan, const json_t *hdr, const struct job *job, json_t **ret)
{
	const struct pin_options *of = pin_options_find(job->pin->name);
	char why[LOG_LINE_MAX] = "";
	const struct log log = {.sink = keep_why, .to = why};
	const struct survey *survey = job->survey;
	struct again_plan leaf = {0};
	struct again again = {.hdr = hdr, .survey = survey, .reseal = plan->options->reseal};
	const char *cause = survey && survey->why[0] ? survey->why : job->why;
	int r;

	if (!of || !of->again) {
		fail(plan, -EOPNOTSUPP, "a part of it cannot be renewed by this program");
		return say_leaf(plan, job, job->pin->name, "unusable", cause);
	}
	again.texts = texts_of(plan, of, hdr, job);
	if (!again.texts)
		r = log_err(&log, -EINVAL,
			    "there are several servers; say with --tang=URL before the options "
			    "about it which one is meant");
	else
		r = of->again(&again, &log, &leaf);
	if (r == -ENOMEM)
		return r;
	/* That another TPM is there, or other PCRs, is no question of trust. */
	if (r < 0)
		fail(plan, r == -EKEYREJECTED && !survey ? -EPERM : r, why);
	plan->renewal->due |= leaf.due;
	if (r == 0 && of->traits(leaf.config) & (PIN_TRAIT_USER_PIN | PIN_TRAIT_CARD_PIN) &&
	    job->result != 0)
		plan->renewal->wants_pin = true;
	*ret = leaf.config;
	if (leaf.due && survey && survey->state == SURVEY_UNREACHABLE)
		cause = NULL; /* it need not be in reach: its advertisement was given */
	return say_leaf(plan, job, of->pin, state_of(survey, leaf.due), r < 0 ? why : cause);
}

/* *ret stays NULL where some part cannot be bound again. */
static int plan_part(struct plan *plan, const json_t *hdr, const struct job *job, json_t **ret);

static int plan_share(struct plan *plan, const char *text, const struct job *job, json_t *into)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP_JSON json_t *config = NULL;
	const struct pin *pin = NULL;
	int r;

	r = text ? jwe_from_compact(ref_str(text), &jwe) : -EBADMSG;
	if (r == -ENOMEM)
		return r;
	if (r == 0)
		pin = pin_find(pins, jwe.hdr);
	if (!pin || pin != job->pin) {
		fail(plan, -EBADMSG, "a part of it cannot be read here, and would be lost");
		return say_leaf(plan, job, "unknown", "unusable", job->why);
	}
	r = plan_part(plan, jwe.hdr, job, &config);
	return r < 0 || !config ? r : tree_add(into, pin->name, config);
}

static int plan_node(struct plan *plan, const json_t *hdr, const struct job *job, json_t **ret)
{
	const json_t *sss = json_object_get(json_object_get(hdr, "clevis"), TREE_PIN), *share;
	const json_t *shares = json_object_get(sss, "jwe");
	CLEANUP_JSON json_t *config =
		json_pack("{s:O, s:{}}", "t", json_object_get(sss, "t"), "pins");
	size_t i;
	int r = config ? 0 : -ENOMEM;

	if (json_array_size(shares) != job->n_children) {
		fail(plan, -EBADMSG, "its policy was not looked at to its end");
		return r;
	}
	json_array_foreach(shares, i, share)
		if (r == 0)
			r = plan_share(plan, json_string_value(share), &job->children[i],
				       json_object_get(config, "pins"));
	if (r < 0)
		return r;

	*ret = TAKE_PTR(config);
	return 0;
}

static int plan_part(struct plan *plan, const json_t *hdr, const struct job *job, json_t **ret)
{
	return tree_is_node(job->pin->name) ? plan_node(plan, hdr, job, ret)
					    : plan_leaf(plan, hdr, job, ret);
}

int renewal_plan(const struct token *token, const struct job *job, const struct options *options,
		 struct renewal *ret, struct renewal_wishes *wishes)
{
	CLEANUP(renewal_done) struct renewal renewal = {.pin = token->pin->name};
	struct plan plan = {options, &renewal, wishes};
	int r;

	renewal.leaves = json_array();
	if (!renewal.leaves)
		return -ENOMEM;
	r = plan_part(&plan, token->jwe.hdr, job, &renewal.config);
	if (r < 0)
		return r;
	if (renewal.error != 0) {
		json_decref(renewal.config);
		renewal.config = NULL;
	}

	*ret = TAKE_STRUCT(renewal);
	return 0;
}
