/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks the configurations of policies. */
#include "sss/config.h"

#include <stdio.h>

enum { PIN, CONFIG, INDEX };

void sss_spot_name(const struct sss_spot *spot, char *ret, size_t size)
{
	size_t n;

	ret[0] = '\0';
	if (!spot->above)
		return;
	sss_spot_name(spot->above, ret, size);
	n = strlen(ret);
	(void)snprintf(ret + n, size - n, "%spins.%.32s[%zu]", n > 0 ? "." : "", spot->pin,
		       spot->i);
}

size_t sss_threshold(const json_t *config)
{
	const json_t *t = json_object_get(config, "t");

	return t ? (size_t)json_integer_value(t) : 1; /* as Clevis takes it */
}

bool sss_threshold_ok(const json_t *config, size_t n)
{
	const json_t *t = json_object_get(config, "t");

	return !t || (json_is_integer(t) && json_integer_value(t) >= 1 &&
		      json_integer_value(t) <= (json_int_t)n);
}

static bool add_part(json_t *parts, const char *pin, json_t *config, size_t i)
{
	return json_array_append_new(parts, json_pack("[s, O, I]", pin, config, (json_int_t)i)) ==
	       0;
}

json_t *sss_parts(const json_t *config)
{
	CLEANUP_JSON json_t *parts = json_array();
	json_t *value, *item;
	const char *pin;
	size_t i;
	bool ok = parts;

	json_object_foreach(json_object_get(config, "pins"), pin, value) {
		if (!json_is_array(value))
			ok = ok && add_part(parts, pin, value, 0);
		json_array_foreach(value, i, item)
			ok = ok && add_part(parts, pin, item, i);
	}
	return ok ? TAKE_PTR(parts) : NULL;
}

const char *sss_part_pin(const json_t *part)
{
	return json_string_value(json_array_get(part, PIN));
}

json_t *sss_part_config(const json_t *part)
{
	return json_array_get(part, CONFIG);
}

struct sss_spot sss_part_spot(const json_t *part, const struct sss_spot *above)
{
	return (struct sss_spot){
		.above = above,
		.pin = sss_part_pin(part),
		.i = (size_t)json_integer_value(json_array_get(part, INDEX)),
		.depth = above->depth + 1,
	};
}
