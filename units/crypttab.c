/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads crypttab: lines, fields and options. */
#include "units/crypttab.h"

#include <errno.h>

static bool is_line_end(uint8_t c)
{
	return c == '\n' || c == '\r' || c == '\0';
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static struct ref cut(struct ref *rest, size_t n)
{
	struct ref head = {rest->p, n};

	rest->p += n;
	rest->n -= n;
	return head;
}

static struct ref next_line(struct crypttab_reader *reader)
{
	struct ref *rest = &reader->rest, line;
	size_t n = 0;

	reader->number = reader->newlines + 1;
	while (n < rest->n && !is_line_end(rest->p[n]))
		n++;
	line = cut(rest, n);
	if (rest->n > 0 && cut(rest, 1).p[0] == '\n')
		reader->newlines++;
	return line;
}

static struct ref next_field(struct ref *line)
{
	size_t n = 0;

	while (n < line->n && is_blank(line->p[n]))
		n++;
	(void)cut(line, n);
	for (n = 0; n < line->n && !is_blank(line->p[n]);)
		n++;
	return cut(line, n);
}

int crypttab_next(struct crypttab_reader *reader, struct crypttab_entry *ret)
{
	while (reader->rest.n > 0) {
		struct crypttab_entry entry = {.line = next_line(reader), .number = reader->number};
		struct ref rest = entry.line;

		entry.name = next_field(&rest);
		if (entry.name.n == 0 || entry.name.p[0] == '#')
			continue;

		entry.device = next_field(&rest);
		entry.key = next_field(&rest);
		entry.options = next_field(&rest);
		if (entry.device.n == 0)
			return -EBADMSG;
		*ret = entry;
		return 1;
	}
	return 0;
}

bool crypttab_option_next(struct ref *rest, struct ref *ret)
{
	while (rest->n > 0) {
		struct ref option;
		size_t n = 0;

		while (n < rest->n && rest->p[n] != ',')
			n += rest->p[n] == '\\' && n + 1 < rest->n ? 2 : 1;
		option = cut(rest, n);
		if (rest->n > 0)
			(void)cut(rest, 1);
		if (option.n == 0)
			continue;
		*ret = option;
		return true;
	}
	return false;
}

/* Whether an option has this name, and the value that it has. */
static bool is_option(struct ref option, const char *name, struct ref *ret_value)
{
	size_t n = strlen(name);

	if (option.n < n || memcmp(option.p, name, n) != 0 || (option.n > n && option.p[n] != '='))
		return false;

	(void)cut(&option, option.n > n ? n + 1 : n);
	*ret_value = option;
	return true;
}

bool crypttab_option(struct ref options, const char *name, struct ref *ret_value)
{
	struct ref option, value = {0};
	bool found = false;

	while (crypttab_option_next(&options, &option))
		if (is_option(option, name, &value))
			found = true;
	if (found && ret_value)
		*ret_value = value;
	return found;
}

bool crypttab_switch(struct ref options, const char *yes, const char *no)
{
	struct ref option, value;
	bool on = false;

	while (crypttab_option_next(&options, &option)) {
		if (is_option(option, yes, &value))
			on = true;
		else if (is_option(option, no, &value))
			on = false;
	}
	return on;
}

bool crypttab_none(struct ref field)
{
	return field.n == 0 || ref_is(field, "-") || ref_is(field, "none");
}
