/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at what is known of a policy and at what became of it, side by side. */
#include "enroll/early.h"

bool early_leaf(const json_t *facts)
{
	const json_t *changed = json_object_get(facts, "changed_pcrs");
	const char *pcr = json_string_value(json_array_get(changed, 0));

	return json_object_get(facts, "holds") && json_array_size(changed) == 1 &&
	       strncmp(pcr, "15 ", strlen("15 ")) == 0;
}

/* A leaf that nobody came to ask counts for one that does not hold. */
static bool holds(const json_t *facts, const struct job *job, bool excusing)
{
	const json_t *shares = json_object_get(facts, "shares"), *share;
	json_int_t n = 0;
	size_t i;

	if (job->result == 0)
		return true;
	if (!shares)
		return excusing && early_leaf(facts);

	if (json_array_size(shares) != job->n_children)
		return false;
	json_array_foreach(shares, i, share)
		n += holds(share, &job->children[i], excusing);
	return n >= json_integer_value(json_object_get(facts, "threshold"));
}

bool early(const json_t *facts, const struct job *job)
{
	return holds(facts, job, true) && !holds(facts, job, false);
}
