/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks configurations that were written elsewhere, before anything walks them. */
#include "enroll/tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static int PRINTF_LIKE(3, 4)
	refuse(const struct sss_spot *spot, const struct log *log, const char *fmt, ...)
{
	char name[LOG_LINE_MAX / 2], what[LOG_LINE_MAX / 2];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	sss_spot_name(spot, name, sizeof(name));
	return log_err(log, -EINVAL, "the policy%s%s %s", name[0] ? " at " : "", name, what);
}

static bool known_member(const struct pin_options *of, const char *name)
{
	for (size_t i = 0; i < of->n_members; i++)
		if (strcmp(of->members[i].name, name) == 0)
			return true;
	return false;
}

static int check_leaf(const struct sss_spot *spot, const struct log *log,
		      const struct pin_options *of, const json_t *config)
{
	const char *name;
	const json_t *value;

	json_object_foreach((json_t *)(uintptr_t)config, name, value)
		if (!known_member(of, name))
			return refuse(spot, log, "has a member \"%.64s\", which %s does not know",
				      name, of->pin);
	if (of->positional && !js_str(config, of->members[0].name))
		return refuse(spot, log, "lacks the string \"%s\"", of->members[0].name);
	return 0;
}

/* `n`: how many parts it has. */
static int check_node(const struct sss_spot *spot, const struct log *log, const json_t *config,
		      size_t n)
{
	const json_t *pins_json = json_object_get(config, "pins"), *value;
	const char *pin;

	if (!json_is_object(pins_json) || json_object_size(pins_json) == 0)
		return refuse(spot, log, "names no \"pins\"");
	if (json_object_size(config) != (json_object_get(config, "t") ? 2 : 1))
		return refuse(spot, log, "has members other than \"t\" and \"pins\"");
	json_object_foreach((json_t *)(uintptr_t)pins_json, pin, value)
		if (json_is_array(value) && json_array_size(value) == 0)
			return refuse(spot, log, "has an empty list for the pin %.32s", pin);
	if (n > SSS_SHARES_MAX)
		return refuse(spot, log, "has %zu parts, more than %d", n, SSS_SHARES_MAX);
	if (!sss_threshold_ok(config, n))
		return refuse(spot, log,
			      "has a threshold \"t\" that is not a number from 1 to %zu, as many "
			      "as it has parts",
			      n);
	return 0;
}

static int check_at(const struct sss_spot *spot, const struct log *log, const json_t *config)
{
	const struct pin_options *of = pin_options_find(spot->pin);
	CLEANUP_JSON json_t *parts = NULL;
	const json_t *part;
	size_t i;
	int r;

	if (!of && !tree_is_node(spot->pin))
		return refuse(spot, log, "names a pin that is not known here");
	if (!json_is_object(config))
		return refuse(spot, log, "is not an object");
	if (of)
		return check_leaf(spot, log, of, config);

	if (spot->depth >= SSS_DEPTH_MAX)
		return refuse(spot, log, "nests thresholds more than %d deep", SSS_DEPTH_MAX);
	parts = sss_parts(config);
	r = parts ? check_node(spot, log, config, json_array_size(parts)) : -ENOMEM;
	json_array_foreach(parts, i, part) {
		struct sss_spot below = sss_part_spot(part, spot);

		if (r == 0)
			r = check_at(&below, log, sss_part_config(part));
	}
	return r;
}

int tree_check(const char *pin, const json_t *config, const struct log *log)
{
	const struct sss_spot root = {.pin = pin};

	return check_at(&root, log, config);
}
