/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks for parts of a policy that suffice alone, and for those that it cannot do without. */
#include "enroll/quorum.h"

#include "enroll/tree-lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A leaf as this looks at it. Equal ones have the same `id`. */
struct leaf {
	char *who;
	const json_t *facts;
	size_t id;
};

struct leaves {
	struct leaf *list;
	size_t n;
};

static void leaves_done(struct leaves *leaves)
{
	for (size_t i = 0; i < leaves->n; i++)
		free(leaves->list[i].who);
	free(leaves->list);
}

static size_t count_leaves(const json_t *facts)
{
	const json_t *shares = json_object_get(facts, "shares"), *share;
	size_t i, n = shares ? 0 : 1;

	json_array_foreach(shares, i, share)
		n += count_leaves(share);
	return n;
}

/* In the order in which quorum_met() comes to them. */
static int collect(const json_t *facts, struct leaves *leaves)
{
	const json_t *shares = json_object_get(facts, "shares"), *share;
	struct leaf leaf = {.facts = facts};
	char who[PIN_WORDS_MAX];
	size_t i;
	int r = 0;

	json_array_foreach(shares, i, share)
		if (r == 0)
			r = collect(share, leaves);
	if (shares)
		return r;

	tree_who(facts, who);
	leaf.who = strdup(who);
	if (!leaf.who)
		return -ENOMEM;
	while (leaf.id < leaves->n && strcmp(leaves->list[leaf.id].who, who) != 0)
		leaf.id++;
	leaves->list[leaves->n++] = leaf;
	return 0;
}

bool quorum_met(const char *pin, const json_t *facts, quorum_leaf_fn counts, void *arg)
{
	const json_t *shares = json_object_get(facts, "shares"), *share;
	json_int_t n = 0;
	size_t i;

	if (!shares)
		return counts(arg, pin, facts) && !json_object_get(facts, "unusable");
	json_array_foreach(shares, i, share)
		n += quorum_met(js_str(share, "pin"), share, counts, arg);
	return n >= json_integer_value(json_object_get(facts, "threshold"));
}

/* Who is there: this one alone, or all but it. */
struct presence {
	size_t id;
	bool alone;
	const struct leaf *next;
};

static bool is_there(void *arg, const char *pin, const json_t *facts)
{
	struct presence *who = arg;
	const struct leaf *leaf = who->next++;

	(void)pin;
	(void)facts;
	return (leaf->id == who->id) == who->alone;
}

static bool opens(const json_t *facts, const struct leaves *leaves, size_t id, bool alone)
{
	struct presence who = {id, alone, leaves->list};

	return quorum_met(NULL, facts, is_there, &who);
}

/* "A; B; C" */
static json_t *joined(const json_t *names)
{
	json_t *text = json_string("");
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name) {
		json_t *longer = json_sprintf("%s%s%s", text ? json_string_value(text) : "",
					      i > 0 ? "; " : "", json_string_value(name));

		json_decref(text);
		text = longer;
	}
	return text;
}

static int warn(json_t *warnings, const char *before, const json_t *names, const char *after)
{
	CLEANUP_JSON json_t *text = joined(names);

	if (!text ||
	    json_array_append_new(
		    warnings, json_sprintf("%s%s%s", before, json_string_value(text), after)) != 0)
		return -ENOMEM;
	return 0;
}

/* What is to be known of the tree; a lone leaf suffices by its nature. */
static int warn_of_tree(const json_t *alone, const json_t *needed, bool lone, json_t *warnings)
{
	int r = 0;

	if (json_array_size(alone) == 1 && !lone)
		r = warn(warnings, "", alone, " alone is enough");
	else if (json_array_size(alone) > 1)
		r = warn(warnings, "each of these alone is enough: ", alone, "");
	if (r < 0)
		return r;

	if (json_array_size(needed) == 1)
		r = warn(warnings, "without ", needed,
			 " nothing else here suffices: where that is lost, a passphrase is needed");
	else if (json_array_size(needed) > 1)
		r = warn(warnings,
			 "without any one of these the others do not suffice, so that where one is "
			 "lost a passphrase is needed: ",
			 needed, "");
	return r;
}

static int warn_of_leaf(const struct leaves *leaves, size_t i, json_t *warnings)
{
	const struct leaf *leaf = &leaves->list[i];
	const char *pin = js_str(leaf->facts, "pin");
	const struct pin_options *of = pin ? pin_options_find(pin) : NULL;
	const char *text = of && of->warning ? of->warning(leaf->facts) : NULL;

	if (text && json_array_append_new(warnings, json_sprintf("%s: %s", leaf->who, text)) != 0)
		return -ENOMEM;
	for (size_t other = i + 1; other < leaves->n; other++)
		if (leaves->list[other].id == i)
			return json_array_append_new(warnings,
						     json_sprintf("%s is there more than once, and "
								  "counts as often",
								  leaf->who)) == 0
				       ? 0
				       : -ENOMEM;
	return 0;
}

static int add_name(json_t *names, bool wanted, const struct leaf *leaf)
{
	return !wanted || json_array_append_new(names, json_string(leaf->who)) == 0 ? 0 : -ENOMEM;
}

int quorum_explain(const json_t *facts, json_t *result)
{
	CLEANUP_JSON json_t *alone = json_array(), *needed = json_array();
	CLEANUP_JSON json_t *warnings = json_array();
	CLEANUP(leaves_done) struct leaves leaves = {0};
	int r;

	leaves.list = calloc(count_leaves(facts), sizeof(*leaves.list));
	r = leaves.list && alone && needed && warnings ? collect(facts, &leaves) : -ENOMEM;
	for (size_t i = 0; r == 0 && i < leaves.n; i++) {
		const struct leaf *leaf = &leaves.list[i];

		if (leaf->id != i)
			continue;
		r = add_name(alone, opens(facts, &leaves, i, true), leaf);
		if (r == 0)
			r = add_name(needed, !opens(facts, &leaves, i, false), leaf);
	}
	if (r == 0)
		r = warn_of_tree(alone, needed, leaves.n == 1, warnings);
	for (size_t i = 0; r == 0 && i < leaves.n; i++)
		if (leaves.list[i].id == i)
			r = warn_of_leaf(&leaves, i, warnings);
	if (r == 0 && (json_object_set(result, "alone", alone) != 0 ||
		       json_object_set(result, "needed", needed) != 0 ||
		       json_object_set(result, "warnings", warnings) != 0))
		r = -ENOMEM;
	return r;
}
