/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks configurations that were written elsewhere, before anything walks them. */
#include "enroll/tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* A configuration within a tree of them. */
struct spot {
	const struct spot *above; /* NULL at the root */
	const char *pin;          /* and which one of those in the one above */
	size_t i;
	unsigned depth;
	const struct log *log;
};

/* Where it is, as one would write it in a program: "pins.sss[0].pins.tang[1]". */
static void spot_name(const struct spot *spot, char *ret, size_t size)
{
	size_t n;

	ret[0] = '\0';
	if (!spot->above)
		return;
	spot_name(spot->above, ret, size);
	n = strlen(ret);
	(void)snprintf(ret + n, size - n, "%spins.%.32s[%zu]", n > 0 ? "." : "", spot->pin,
		       spot->i);
}

static int PRINTF_LIKE(2, 3) refuse(const struct spot *spot, const char *fmt, ...)
{
	char name[LOG_LINE_MAX / 2], what[LOG_LINE_MAX / 2];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	spot_name(spot, name, sizeof(name));
	return log_err(spot->log, -EINVAL, "the policy%s%s %s", name[0] ? " at " : "", name, what);
}

static bool known_member(const struct pin_options *of, const char *name)
{
	for (size_t i = 0; i < of->n_members; i++)
		if (strcmp(of->members[i].name, name) == 0)
			return true;
	return false;
}

static int check_leaf(const struct spot *spot, const struct pin_options *of, const json_t *config)
{
	const char *name;
	const json_t *value;

	json_object_foreach((json_t *)(uintptr_t)config, name, value)
		if (!known_member(of, name))
			return refuse(spot, "has a member \"%.64s\", which %s does not know", name,
				      of->pin);
	if (of->positional && !js_str(config, of->members[0].name))
		return refuse(spot, "lacks the string \"%s\"", of->members[0].name);
	return 0;
}

static int check_node(const struct spot *spot, const json_t *config)
{
	const json_t *t = json_object_get(config, "t"),
		     *pins_json = json_object_get(config, "pins");
	const json_t *value;
	const char *pin;
	size_t n = 0;

	if (!json_is_object(pins_json) || json_object_size(pins_json) == 0)
		return refuse(spot, "names no \"pins\"");
	if (json_object_size(config) != (t ? 2 : 1))
		return refuse(spot, "has members other than \"t\" and \"pins\"");
	json_object_foreach((json_t *)(uintptr_t)pins_json, pin, value) {
		if (json_is_array(value) && json_array_size(value) == 0)
			return refuse(spot, "has an empty list for the pin %.32s", pin);
		n += json_is_array(value) ? json_array_size(value) : 1;
	}
	if (n > SSS_SHARES_MAX)
		return refuse(spot, "has %zu parts, more than %d", n, SSS_SHARES_MAX);
	if (t && (!json_is_integer(t) || json_integer_value(t) < 1 ||
		  json_integer_value(t) > (json_int_t)n))
		return refuse(spot,
			      "has a threshold \"t\" that is not a number from 1 to %zu, as many "
			      "as it has parts",
			      n);
	return 0;
}

static int check_at(const struct spot *spot, const json_t *config);

static int check_parts(const struct spot *spot, const json_t *config)
{
	struct spot part = {spot, NULL, 0, spot->depth + 1, spot->log};
	json_t *value, *item;
	int r = 0;

	json_object_foreach(json_object_get(config, "pins"), part.pin, value) {
		part.i = 0;
		if (r == 0 && !json_is_array(value))
			r = check_at(&part, value);
		json_array_foreach(value, part.i, item)
			if (r == 0)
				r = check_at(&part, item);
	}
	return r;
}

static int check_at(const struct spot *spot, const json_t *config)
{
	const struct pin_options *of = pin_options_find(spot->pin);
	int r;

	if (!of && !tree_is_node(spot->pin))
		return refuse(spot, "names a pin that is not known here");
	if (!json_is_object(config))
		return refuse(spot, "is not an object");
	if (of)
		return check_leaf(spot, of, config);

	if (spot->depth >= SSS_DEPTH_MAX)
		return refuse(spot, "nests thresholds more than %d deep", SSS_DEPTH_MAX);
	r = check_node(spot, config);
	return r < 0 ? r : check_parts(spot, config);
}

int tree_check(const char *pin, const json_t *config, const struct log *log)
{
	const struct spot root = {.pin = pin, .log = log};

	return check_at(&root, config);
}
