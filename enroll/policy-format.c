/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes policies as people do. */
#include "enroll/policy-text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int write_part(FILE *f, const char *pin, const json_t *config);

/* Whether the parser would not take it as it is. */
static bool wants_quotes(const char *text)
{
	size_t n = strlen(text);

	return n == 0 || text[strcspn(text, ",()\"\\\n\r\t")] || text[0] == ' ' ||
	       text[n - 1] == ' ';
}

static void write_text(FILE *f, const char *text)
{
	if (!wants_quotes(text)) {
		(void)fputs(text, f);
		return;
	}

	(void)fputc('"', f);
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			(void)fputc('\\', f);
		if (*c == '\n')
			(void)fputs("\\n", f);
		else
			(void)fputc(*c, f);
	}
	(void)fputc('"', f);
}

/* A list of PCRs, which may be numbers or strings. */
static int write_list(FILE *f, const json_t *list)
{
	const json_t *item;
	size_t i;

	(void)fputc('"', f);
	json_array_foreach(list, i, item) {
		if (i > 0)
			(void)fputc(',', f);
		if (json_is_integer(item))
			(void)fprintf(f, "%" JSON_INTEGER_FORMAT, json_integer_value(item));
		else if (json_is_string(item) && !wants_quotes(json_string_value(item)))
			(void)fputs(json_string_value(item), f);
		else
			return -EINVAL;
	}
	(void)fputc('"', f);
	return 0;
}

static int write_value(FILE *f, const struct pin_member *member, const json_t *value)
{
	char *object;

	if (member->yes_no && json_is_boolean(value))
		return fputs(json_is_true(value) ? "yes" : "no", f) < 0 ? -ENOMEM : 0;
	if (member->yes_no)
		return -EINVAL;

	switch (json_typeof(value)) {
	case JSON_STRING:
		/* The parser would take it for an object. */
		if (json_string_value(value)[0] == '{' ||
		    (!*json_string_value(value) && !member->implied))
			return -EINVAL;
		write_text(f, json_string_value(value));
		return 0;
	case JSON_INTEGER:
		return fprintf(f, "%" JSON_INTEGER_FORMAT, json_integer_value(value)) < 0 ? -ENOMEM
											  : 0;
	case JSON_ARRAY:
		return write_list(f, value);
	case JSON_OBJECT:
		if (js_dump(value, &object) < 0)
			return -ENOMEM;
		write_text(f, object);
		free(object);
		return 0;
	default:
		return -EINVAL;
	}
}

/* Whether a value without its name would be taken for one with a name. */
static bool looks_named(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n > 0 && text[n + strspn(text + n, " ")] == '=';
}

/* An empty list of PCRs says no more than none at all. */
static const json_t *value_of(const json_t *config, const char *name)
{
	const json_t *value = json_object_get(config, name);

	return json_is_array(value) && json_array_size(value) == 0 ? NULL : value;
}

static int write_leaf(FILE *f, const struct pin_options *of, const json_t *config)
{
	const char *before = "(";

	(void)fputs(of->pin, f);
	for (size_t i = 0; i < of->n_members; i++) {
		const struct pin_member *member = &of->members[i];
		const json_t *value = value_of(config, member->name);
		bool instead = member->instead && value_of(config, member->instead);
		int r = 0;

		if (!value && (!member->implied || instead))
			continue;
		(void)fputs(before, f);
		before = ", ";
		if (i > 0 || !of->positional || looks_named(json_string_value(value)))
			(void)fprintf(f, "%s=", member->name);
		if (value)
			r = write_value(f, member, value);
		else
			(void)fputs("none", f);
		if (r < 0)
			return r;
	}
	if (*before == ',')
		(void)fputc(')', f);
	return 0;
}

static int write_node(FILE *f, const json_t *config)
{
	CLEANUP_JSON json_t *parts = sss_parts(config);
	const json_t *part;
	size_t i;
	int r = parts ? 0 : -ENOMEM;

	(void)fprintf(f, "%zu of (", sss_threshold(config));
	json_array_foreach(parts, i, part) {
		if (i > 0)
			(void)fputs(", ", f);
		if (r == 0)
			r = write_part(f, sss_part_pin(part), sss_part_config(part));
	}
	(void)fputc(')', f);
	return r;
}

static int write_part(FILE *f, const char *pin, const json_t *config)
{
	return tree_is_node(pin) ? write_node(f, config)
				 : write_leaf(f, pin_options_find(pin), config);
}

int policy_text_format(const char *pin, const json_t *config, char **ret)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int r;

	if (!f)
		return -ENOMEM;
	r = write_part(f, pin, config);
	if (fclose(f) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0) {
		free(text);
		return r;
	}

	*ret = text;
	return 0;
}
