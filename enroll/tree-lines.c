/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes trees as lines. */
#include "enroll/tree-lines.h"

#include <stdarg.h>
#include <stdio.h>

enum { INDENT = 2, LINE_MAX_BYTES = 1024 };

static void PRINTF_LIKE(3, 4) add(json_t *lines, unsigned indent, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)json_array_append_new(lines, json_sprintf("%*s%s", (int)indent, "", text));
}

void tree_who(const json_t *facts, char ret[PIN_WORDS_MAX])
{
	const char *pin = js_str(facts, "pin"), *unusable = js_str(facts, "unusable");
	const struct pin_options *of = pin ? pin_options_find(pin) : NULL;

	if (unusable)
		(void)snprintf(ret, PIN_WORDS_MAX,
			       "a part (%.64s) that cannot be used here: %.300s",
			       pin ? pin : "unknown", unusable);
	else if (of)
		of->words(facts, ret);
	else
		(void)snprintf(ret, PIN_WORDS_MAX, "%.64s", pin ? pin : "unknown");
}

static void add_node(const json_t *facts, unsigned indent, json_t *lines)
{
	json_int_t t = json_integer_value(json_object_get(facts, "threshold"));
	size_t n = json_array_size(json_object_get(facts, "shares"));

	if (t == (json_int_t)n)
		add(lines, indent, "all of these %zu:", n);
	else
		add(lines, indent, "any %" JSON_INTEGER_FORMAT " of these %zu:", t, n);
}

static void add_leaf(const json_t *facts, unsigned indent, json_t *lines)
{
	char who[PIN_WORDS_MAX], changed[PIN_WORDS_MAX] = "";
	const json_t *pcr;
	size_t i, n = 0;

	json_array_foreach(json_object_get(facts, "changed_pcrs"), i, pcr) {
		n += (size_t)snprintf(changed + n, sizeof(changed) - n, "%s%.48s",
				      i > 0 ? ", " : "; changed: ", json_string_value(pcr));
		if (n >= sizeof(changed))
			break;
	}
	tree_who(facts, who);
	add(lines, indent, "%s%s", who, changed);
}

void tree_lines(const json_t *facts, unsigned indent, json_t *lines)
{
	const json_t *shares = json_object_get(facts, "shares"), *share;
	size_t i;

	if (!shares) {
		add_leaf(facts, indent, lines);
		return;
	}
	add_node(facts, indent, lines);
	json_array_foreach(shares, i, share)
		tree_lines(share, indent + INDENT, lines);
}

/* What is said of a server's advertisement, if it was asked for one; not the same cause again. */
static void advertisement_words(const json_t *report, char *ret, size_t size)
{
	const char *state = js_str(report, "advertisement");
	const char *cause = js_str(report, "advertisement_cause"), *other = js_str(report, "cause");

	ret[0] = '\0';
	if (!state)
		return;
	if (cause && other && strcmp(cause, other) == 0)
		cause = NULL;
	(void)snprintf(ret, size, "; advertisement %.32s%s%.512s", state, cause ? ": " : "",
		       cause ? cause : "");
}

void tree_report_line(const json_t *report, unsigned indent, json_t *lines)
{
	const char *pin = js_str(report, "pin"), *where = js_str(report, "where");
	const char *state = js_str(report, "state"), *cause = js_str(report, "cause");
	size_t n = json_array_size(json_object_get(report, "shares"));
	char who[PIN_WORDS_MAX], took[32] = "", advertisement[LINE_MAX_BYTES / 2];
	const char *health = js_str(report, "health");

	if (n > 0)
		(void)snprintf(who, sizeof(who), "%" JSON_INTEGER_FORMAT " of %zu",
			       json_integer_value(json_object_get(report, "threshold")), n);
	else
		(void)snprintf(who, sizeof(who), "%.64s%s%.300s", pin ? pin : "unknown",
			       where ? " " : "", where ? where : "");
	if (!state || strcmp(state, "not needed") != 0)
		(void)snprintf(took, sizeof(took), " after %" JSON_INTEGER_FORMAT " ms",
			       json_integer_value(json_object_get(report, "ms")));
	advertisement_words(report, advertisement, sizeof(advertisement));
	add(lines, indent, "%s: %s%s%s%s%s%s", who, state ? state : "?", took, cause ? ": " : "",
	    cause ? cause : "",
	    health && strcmp(health, "early") == 0 ? "; holds only before switch-root" : "",
	    advertisement);
}

void tree_report_lines(const json_t *report, unsigned indent, json_t *lines)
{
	const json_t *share;
	size_t i;

	json_array_foreach(json_object_get(report, "shares"), i, share) {
		tree_report_line(share, indent, lines);
		tree_report_lines(share, indent + INDENT, lines);
	}
}
