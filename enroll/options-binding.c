/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the configuration of a new binding. */
#include "enroll/options-binding.h"

#include "enroll/options-values.h"
#include "enroll/policy-load.h"

#include <errno.h>

static int read_threshold(const struct given *given, const struct log *log, int *ret)
{
	const char *text = given->text[OPT_THRESHOLD];
	size_t n = given->n_groups;
	int threshold = 1;

	if (!text && n > 1)
		return log_err(log, -EINVAL,
			       "--threshold=T is missing: it says how many of the %zu must hold",
			       n);
	if (text) {
		threshold = options_small_number(text, strlen(text), (int)n + 1);
		if (threshold < 1)
			return log_err(log, -EINVAL,
				       "--threshold is a number from 1 to %zu, as many as there "
				       "are pins, not \"%s\"",
				       n, text);
	}

	*ret = threshold;
	return 0;
}

/* Several pins become a policy. */
static int read_groups(const struct given *given, int threshold, const struct log *log,
		       json_t **ret)
{
	CLEANUP_JSON json_t *config = json_pack("{s:i, s:{}}", "t", threshold, "pins");
	int r = config ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < given->n_groups; i++) {
		const struct group *group = &given->groups[i];
		CLEANUP_JSON json_t *part = NULL;

		r = group->of->read(group->texts, log, &part);
		if (r == 0)
			r = tree_add(json_object_get(config, "pins"), group->of->pin, part);
	}
	if (r < 0)
		return r;

	*ret = TAKE_PTR(config);
	return 0;
}

static int read_pins(const struct given *given, const struct log *log, struct options *options)
{
	const struct group *first = given->groups;
	int threshold = 1, r;

	r = read_threshold(given, log, &threshold);
	if (r < 0)
		return r;

	options->pin = given->n_groups == 1 ? first->of->pin : TREE_PIN;
	return given->n_groups == 1 ? first->of->read(first->texts, log, &options->config)
				    : read_groups(given, threshold, log, &options->config);
}

int options_read_binding(const struct given *given, const struct log *log, struct options *options)
{
	const char *policy = given->text[OPT_POLICY];
	unsigned traits = 0;
	int r;

	r = policy ? policy_load(policy, log, &options->pin, &options->config)
		   : read_pins(given, log, options);
	if (r == 0)
		r = tree_traits(options->pin, options->config, &traits);
	if (r < 0)
		return r;

	if ((traits & PIN_TRAIT_USER_PIN) && (traits & PIN_TRAIT_CARD_PIN))
		return log_err(
			log, -EINVAL,
			"a policy takes one PIN: either the card's, or a new one for the TPM");
	options->user_pin = traits & PIN_TRAIT_USER_PIN;
	options->card_pin = traits & PIN_TRAIT_CARD_PIN;
	options->saved = (traits & PIN_TRAIT_SAVED) && !(traits & PIN_TRAIT_LIVE);
	options->later = traits & PIN_TRAIT_LATER;
	return 0;
}
