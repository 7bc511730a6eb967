/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at a configuration and at what became of it, side by side. */
#include "enroll/excuse.h"

#include <errno.h>

/* Counts for the one that holds, with the excuses or without. */
static bool leaf_holds(const struct pin_options *of, const json_t *config, const struct job *job,
		       bool excusing)
{
	unsigned traits = of ? of->traits(config) : 0; /* NULL: a pin that is another program's */

	if (job->result == 0 || !excusing)
		return job->result == 0;
	if (job->result == -EINPROGRESS)
		return true;
	return ((traits & PIN_TRAIT_SAVED) && pin_may_pass(job->result)) ||
	       ((traits & PIN_TRAIT_LATER) && job->result == -EKEYREJECTED);
}

static bool holds(const char *pin, const json_t *config, const struct job *job, bool excusing)
{
	CLEANUP_JSON json_t *parts = NULL;
	const json_t *part;
	size_t i, n = 0;

	if (!tree_is_node(pin))
		return leaf_holds(pin_options_find(pin), config, job, excusing);
	if (job->result == 0 || (excusing && job->result == -EINPROGRESS))
		return true;

	/* The shares are in the configuration's order. */
	parts = sss_parts(config);
	if (!parts || json_array_size(parts) != job->n_children)
		return false;
	json_array_foreach(parts, i, part)
		n += holds(sss_part_pin(part), sss_part_config(part), &job->children[i], excusing);
	return n >= sss_threshold(config);
}

bool excused(const char *pin, const json_t *config, const struct job *job)
{
	return holds(pin, config, job, true) && !holds(pin, config, job, false);
}
