/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --explain: who can open the volume, by a binding that is not made yet or by the tokens that
 * there are.
 */
#include "enroll/inventory.h"
#include "enroll/policy-text.h"
#include "enroll/quorum.h"
#include "enroll/verbs.h"

#include <errno.h>
#include <stdlib.h>

/* Takes `facts` over; `token` and `policy` may be NULL. */
static int add(json_t *explanations, json_t *token, const char *policy, json_t *facts)
{
	CLEANUP_JSON json_t *owned = facts;
	CLEANUP_JSON json_t *explanation =
		json_pack("{s:o*, s:s*, s:O}", "token", token, "policy", policy, "tree", owned);
	int r = explanation ? 0 : -ENOMEM;

	if (r == 0)
		r = quorum_explain(owned, explanation);
	if (r == 0 && json_array_append(explanations, explanation) != 0)
		r = -ENOMEM;
	return r;
}

static int explain_binding(const struct options *options, const struct log *log,
			   json_t *explanations)
{
	CLEANUP_JSON json_t *shown = NULL;
	json_t *facts = NULL;
	char *policy = NULL;
	int r;

	r = tree_conceal(options->pin, options->config, &shown);
	if (r == 0)
		r = policy_text_format(options->pin, shown, &policy);
	if (r == -EINVAL)
		return log_err(log, r, "the policy has a member of a type that is not supported");
	if (r == 0)
		r = tree_describe(options->pin, options->config, &facts);
	if (r == 0)
		r = add(explanations, NULL, policy, facts);
	free(policy);
	return r;
}

/* What a token describes, with the names that it would have in a tree. */
static json_t *token_tree(const struct item *item)
{
	CLEANUP_JSON json_t *facts = inventory_facts(item);
	json_t *user_pin = json_object_get(facts, "pin");

	if (!facts || (user_pin && json_object_set(facts, "user_pin", user_pin) != 0) ||
	    json_object_set_new(facts, "pin", json_string(item->token.pin->name)) != 0)
		return NULL;
	return TAKE_PTR(facts);
}

static int explain_tokens(const struct luks *luks, json_t *explanations)
{
	CLEANUP(inventory_done) struct inventory inventory = {0};
	int r;

	r = inventory_read(luks, &inventory);
	for (size_t i = 0; r == 0 && i < inventory.n; i++) {
		const struct item *item = &inventory.items[i];

		if (item->valid && item->keyslots != 0)
			r = add(explanations, json_integer(item->id), NULL, token_tree(item));
	}
	if (r == 0 && json_array_size(explanations) == 0)
		r = log_err(luks->log, -ENOENT, "%s has no cotter token to explain", luks->name);
	return r;
}

enum exit_code verb_explain(const struct options *options, struct output *out)
{
	CLEANUP(luks_freep) struct luks *luks = NULL;
	json_t *explanations = json_array();
	int r;

	if (json_object_set_new(out->json, "explanations", explanations) < 0)
		return EXIT_CODE_FAILED;
	if (options->pin)
		return explain_binding(options, &out->log, explanations) < 0 ? EXIT_CODE_FAILED
									     : EXIT_CODE_OK;

	r = luks_open(options->device, options->header, false, &out->log, &luks);
	if (r == 0)
		r = explain_tokens(luks, explanations);
	return r < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}
