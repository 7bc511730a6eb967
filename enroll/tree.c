/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks configurations. */
#include "enroll/tree.h"

#include <errno.h>
#include <stdio.h>

bool tree_is_node(const char *pin)
{
	return strcmp(pin, TREE_PIN) == 0;
}

int tree_add(json_t *into, const char *pin, json_t *config)
{
	json_t *before = json_object_get(into, pin);

	if (!before)
		return json_object_set(into, pin, config) == 0 ? 0 : -ENOMEM;
	if (json_is_array(before))
		return json_array_append(before, config) == 0 ? 0 : -ENOMEM;
	return json_object_set_new(into, pin, json_pack("[O, O]", before, config)) == 0 ? 0
											: -ENOMEM;
}

int tree_each(const char *pin, json_t *config, tree_fn fn, void *arg)
{
	CLEANUP_JSON json_t *parts = NULL;
	const json_t *part;
	size_t i;
	int r = 0;

	if (!tree_is_node(pin))
		return fn(arg, pin_options_find(pin), config);

	parts = sss_parts(config);
	if (!parts)
		return -ENOMEM;
	json_array_foreach(parts, i, part)
		if (r == 0)
			r = tree_each(sss_part_pin(part), sss_part_config(part), fn, arg);
	return r;
}

static int conceal(void *arg, const struct pin_options *of, json_t *config)
{
	(void)arg;
	return of && of->conceal ? of->conceal(config) : 0;
}

int tree_conceal(const char *pin, const json_t *config, json_t **ret)
{
	CLEANUP_JSON json_t *copy = json_deep_copy(config);
	int r = copy ? tree_each(pin, copy, conceal, NULL) : -ENOMEM;

	if (r == 0)
		*ret = TAKE_PTR(copy);
	return r;
}

static int add_traits(void *arg, const struct pin_options *of, json_t *config)
{
	unsigned *traits = arg;

	*traits |= of->traits(config);
	return 0;
}

int tree_traits(const char *pin, const json_t *config, unsigned *ret)
{
	unsigned traits = 0;
	int r;

	r = tree_each(pin, (json_t *)(uintptr_t)config, add_traits, &traits);
	if (r == 0)
		*ret = traits;
	return r;
}

int tree_size_min(const char *pin, const json_t *config, size_t *ret)
{
	/* Header names, our prime, then IV, ciphertext and tag; a share is wrapped in quotes. */
	enum { NODE = 180, QUOTES = 3 };
	CLEANUP_JSON json_t *parts = NULL;
	const json_t *part;
	size_t i, sum = 0;
	int r = 0;

	if (!tree_is_node(pin)) {
		*ret = pin_options_find(pin)->size_min;
		return 0;
	}

	parts = sss_parts(config);
	if (!parts)
		return -ENOMEM;
	json_array_foreach(parts, i, part) {
		size_t n = 0;

		if (r == 0)
			r = tree_size_min(sss_part_pin(part), sss_part_config(part), &n);
		sum += n + QUOTES;
	}
	if (r == 0)
		*ret = (NODE + sum) / 3 * 4; /* base64url */
	return r;
}

static int describe_node(const json_t *config, json_t *facts)
{
	CLEANUP_JSON json_t *parts = sss_parts(config), *shares = json_array();
	const json_t *part;
	size_t i;
	int r = parts && shares ? 0 : -ENOMEM;

	json_array_foreach(parts, i, part) {
		json_t *share = NULL;

		if (r == 0)
			r = tree_describe(sss_part_pin(part), sss_part_config(part), &share);
		if (r == 0 && json_array_append_new(shares, share) != 0)
			r = -ENOMEM;
	}
	if (r == 0 && (json_object_set_new(facts, "threshold",
					   json_integer((json_int_t)sss_threshold(config))) != 0 ||
		       json_object_set(facts, "shares", shares) != 0))
		r = -ENOMEM;
	return r;
}

int tree_describe(const char *pin, const json_t *config, json_t **ret)
{
	CLEANUP_JSON json_t *facts = json_pack("{s:s}", "pin", pin);
	int r = facts ? 0 : -ENOMEM;

	if (r == 0)
		r = tree_is_node(pin) ? describe_node(config, facts)
				      : pin_options_find(pin)->describe(config, facts);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(facts);
	return 0;
}
