/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables on a terminal: columns aligned, and nothing that a header holds can steer the terminal. */
#include "enroll/table.h"

#include "enroll/tree-lines.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>

enum { COLUMNS = 5, CELL_MAX = 1024 };

/*
 * Copies what is printable and takes a place on the screen; all else becomes '?'. Returns the
 * places taken.
 */
static size_t cell_text(const char *text, char ret[CELL_MAX])
{
	const char *end = text + strlen(text);
	mbstate_t state = {0};
	size_t width = 0, n = 0;

	while (text < end && n + MB_LEN_MAX < CELL_MAX) {
		wchar_t c = L'?';
		size_t len = mbrtowc(&c, text, (size_t)(end - text), &state);
		int places = len <= MB_LEN_MAX ? wcwidth(c) : -1;

		if (places > 0) {
			memcpy(ret + n, text, len);
			n += len;
			width += (size_t)places;
			text += len;
			continue;
		}

		ret[n++] = '?';
		width++;
		text += len > 0 && len <= MB_LEN_MAX ? len : 1;
		state = (mbstate_t){0};
	}

	ret[n] = '\0';
	return width;
}

static const char *cell(const json_t *row, size_t column)
{
	const char *text = json_string_value(json_array_get(row, column));

	return text ? text : "";
}

static void print_row(const json_t *row, const size_t widths[COLUMNS])
{
	size_t owed = 0;

	for (size_t i = 0; i < COLUMNS; i++) {
		char text[CELL_MAX];
		size_t width = cell_text(cell(row, i), text);

		if (width > 0) {
			printf("%*s%s", (int)owed, "", text);
			owed = 0;
		}
		owed += widths[i] + 2 - width;
	}
	putchar('\n');
}

static void print_rows(const json_t *rows)
{
	size_t widths[COLUMNS] = {0};
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		for (size_t c = 0; c < COLUMNS; c++) {
			char text[CELL_MAX];
			size_t width = cell_text(cell(row, c), text);

			if (width > widths[c])
				widths[c] = width;
		}
	}

	json_array_foreach(rows, i, row)
		print_row(row, widths);
}

static json_t *PRINTF_LIKE(1, 2) text_json(const char *fmt, ...)
{
	json_t *string;
	va_list ap;

	va_start(ap, fmt);
	string = json_vsprintf(fmt, ap);
	va_end(ap);
	return string;
}

/* A fact's value on one line; arrays with commas. */
static json_t *value_text(const json_t *value)
{
	const json_t *item;
	json_t *text;
	size_t i;

	if (json_is_string(value))
		return text_json("%s", json_string_value(value));
	if (json_is_integer(value))
		return text_json("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_is_boolean(value))
		return text_json("%s", json_is_true(value) ? "yes" : "no");

	text = text_json("%s", "");
	json_array_foreach(value, i, item) {
		json_t *longer =
			text_json("%s%s%s", text ? json_string_value(text) : "", i > 0 ? ", " : "",
				  json_is_string(item) ? json_string_value(item) : "?");

		json_decref(text);
		text = longer;
	}
	return text;
}

/* What is to be said of a token, a line an item. */
static json_t *token_details(const json_t *token)
{
	const char *state = js_str(token, "state"), *cause = js_str(token, "cause");
	const json_t *facts = json_object_get(token, "facts");
	bool policy = json_object_get(facts, "shares");
	json_t *details = json_array();
	const json_t *value;
	const char *name;

	if (cause)
		(void)json_array_append_new(details, text_json("%s: %s", state, cause));
	if (policy)
		tree_lines(facts, 0, details);
	json_object_foreach((json_t *)(uintptr_t)facts, name, value) {
		CLEANUP_JSON json_t *text = value_text(value);

		if (policy && (strcmp(name, "threshold") == 0 || strcmp(name, "shares") == 0))
			continue;
		(void)json_array_append_new(
			details, text_json("%s: %s", name, text ? json_string_value(text) : ""));
	}
	return details;
}

static void add_row(json_t *rows, const char *keyslot, const char *token, const char *type,
		    const char *label)
{
	(void)json_array_append_new(rows, json_pack("[s, s, s, s]", keyslot, token, type, label));
}

/* One row for the token on this keyslot, its first detail in it and the others below. */
static void add_token(json_t *rows, const char *keyslot, const json_t *token)
{
	CLEANUP_JSON json_t *id = text_json("%" JSON_INTEGER_FORMAT,
					    json_integer_value(json_object_get(token, "token")));
	CLEANUP_JSON json_t *details = token_details(token);
	const char *label = js_str(token, "label");
	size_t n = json_array_size(details);

	for (size_t i = 0; i == 0 || i < n; i++) {
		if (i == 0)
			add_row(rows, keyslot, json_string_value(id), js_str(token, "type"),
				label ? label : "");
		else
			add_row(rows, "", "", "", "");
		if (i < n)
			(void)json_array_append(json_array_get(rows, json_array_size(rows) - 1),
						json_array_get(details, i));
	}
}

static bool holds(const json_t *numbers, const json_t *number)
{
	const json_t *item;
	size_t i;

	json_array_foreach(numbers, i, item)
		if (json_equal(item, number))
			return true;
	return false;
}

static void add_keyslot(json_t *rows, const json_t *keyslot, const json_t *tokens)
{
	const json_t *number = json_object_get(keyslot, "keyslot");
	CLEANUP_JSON json_t *name = text_json("%" JSON_INTEGER_FORMAT, json_integer_value(number));
	const char *state = js_str(keyslot, "state");
	size_t before = json_array_size(rows);
	const json_t *token;
	size_t i;

	json_array_foreach(tokens, i, token)
		if (holds(json_object_get(token, "keyslots"), number))
			add_token(rows, json_string_value(name), token);

	if (json_array_size(rows) == before)
		add_row(rows, json_string_value(name), "-",
			state && strcmp(state, "unbound") == 0 ? "unbound" : "passphrase", "");
}

void table_list(const json_t *result)
{
	CLEANUP_JSON json_t *rows =
		json_pack("[[s, s, s, s, s]]", "SLOT", "TOKEN", "TYPE", "LABEL", "DETAILS");
	const json_t *tokens = json_object_get(result, "tokens");
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(result, "keyslots"), i, item)
		add_keyslot(rows, item, tokens);
	json_array_foreach(tokens, i, item)
		if (json_array_size(json_object_get(item, "keyslots")) == 0)
			add_token(rows, "-", item);

	print_rows(rows);
}

/* However long it is: what is cut off could not be copied from the screen. */
void table_line(const char *text)
{
	enum { PIECE = CELL_MAX / 2 };

	while (*text) {
		char piece[PIECE + 1] = "", shown[CELL_MAX];
		size_t n = strnlen(text, PIECE);

		while (n > 1 && ((unsigned char)text[n] & 0xc0) == 0x80) /* within a character */
			n--;
		memcpy(piece, text, n);
		(void)cell_text(piece, shown);
		(void)fputs(shown, stdout);
		text += n;
	}
	putchar('\n');
}

void table_heading(const char *device)
{
	CLEANUP(free_text) char *line = NULL;

	if (asprintf(&line, "%s:", device) < 0)
		line = NULL;
	else
		table_line(line);
}

static void print_lines(const json_t *lines)
{
	const json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
		table_line(json_string_value(line));
}

void table_explain(const json_t *result)
{
	const json_t *explanation;
	size_t i;

	json_array_foreach(json_object_get(result, "explanations"), i, explanation) {
		CLEANUP_JSON json_t *lines = json_array();
		const json_t *token = json_object_get(explanation, "token"), *warning;
		const char *policy = js_str(explanation, "policy");
		size_t w;

		if (token)
			printf("Token %" JSON_INTEGER_FORMAT " opens the volume with\n",
			       json_integer_value(token));
		else
			printf("The volume would open with\n");
		tree_lines(json_object_get(explanation, "tree"), 2, lines);
		json_array_foreach(json_object_get(explanation, "warnings"), w, warning)
			(void)json_array_append_new(
				lines, json_sprintf("warning: %s", json_string_value(warning)));
		if (policy)
			(void)json_array_append_new(lines, json_sprintf("policy: %s", policy));
		print_lines(lines);
	}
}

void table_test(const json_t *result, bool quiet)
{
	const json_t *token;
	size_t i;

	json_array_foreach(json_object_get(result, "tokens"), i, token) {
		const char *result_name = js_str(token, "result");
		bool ok = strcmp(result_name, "ok") == 0, early = strcmp(result_name, "early") == 0;
		const json_t *report = json_object_get(token, "report");
		bool policy = json_object_get(report, "shares");
		const char *cause = js_str(policy ? report : token, "cause");
		CLEANUP_JSON json_t *lines = json_array();
		char type[CELL_MAX], why[CELL_MAX];

		if ((ok || early) && quiet)
			continue;

		/* What became of each part stands below. */
		tree_report_lines(report, 2, lines);
		if (!cause)
			cause = js_str(token, "cause");
		(void)cell_text(js_str(token, "type"), type);
		(void)cell_text(cause ? cause : "", why);
		printf("token %" JSON_INTEGER_FORMAT " (%s): %s after %.1f ms%s%s\n",
		       json_integer_value(json_object_get(token, "token")), type,
		       ok      ? "opens the volume"
		       : early ? "holds only before switch-root"
			       : result_name,
		       json_real_value(json_object_get(token, "milliseconds")), ok ? "" : ": ",
		       why);
		print_lines(lines);
	}
}

/* Whether a token opens the volume, as --report found. */
static const char *holding_words(const json_t *token)
{
	static const char *const words[][2] = {
		{"ok", "opens the volume"},
		{"early", "holds only before switch-root"},
		{"wants a PIN", "wants a PIN, and nobody was there to type it"},
	};
	const char *result = js_str(token, "result");

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i][0], result) == 0)
			return words[i][1];
	return strcmp(js_str(token, "health"), "orphaned") == 0 ? "is left over"
								: "does not open the volume";
}

/* How it is doing apart from that. */
static const char *health_words(const json_t *token)
{
	const char *health = js_str(token, "health");

	if (strcmp(health, "due") == 0)
		return "; its renewal is due";
	if (strcmp(health, "failing") != 0)
		return "";
	return json_object_get(json_object_get(token, "report"), "shares")
		       ? "; a part of it fails"
		       : "; its server's keys cannot be verified";
}

/* Why it does not open; NULL where that is what became of its part, which stands below. */
static const char *holding_cause(const json_t *token)
{
	const json_t *report = json_object_get(token, "report");
	const char *cause = js_str(report, "cause"), *result = js_str(token, "result");

	if (strcmp(result, "early") == 0 || strcmp(result, "wants a PIN") == 0)
		return NULL;
	if (!cause)
		return js_str(token, "cause");
	return json_object_get(report, "shares") ? cause : NULL;
}

void table_report(const json_t *result, bool quiet)
{
	const json_t *token;
	size_t i;

	json_array_foreach(json_object_get(result, "tokens"), i, token) {
		const json_t *report = json_object_get(token, "report");
		const char *cause = holding_cause(token);
		CLEANUP_JSON json_t *lines = json_array();
		char type[CELL_MAX], why[CELL_MAX];

		if (quiet && strcmp(js_str(token, "health"), "ok") == 0)
			continue;
		(void)cell_text(js_str(token, "type"), type);
		(void)cell_text(cause ? cause : "", why);
		printf("token %" JSON_INTEGER_FORMAT " (%s): %s%s%s%s\n",
		       json_integer_value(json_object_get(token, "token")), type,
		       holding_words(token), health_words(token), cause ? ": " : "", why);
		if (json_object_get(report, "shares"))
			tree_report_lines(report, 2, lines);
		else if (report)
			tree_report_line(report, 2, lines);
		if (report && strcmp(js_str(token, "result"), "ok") != 0)
			(void)json_array_append_new(
				lines,
				json_string("  unverified: what a token says is believed once its "
					    "secret has opened its keyslot, which it has not"));
		print_lines(lines);
	}
}

void table_devices(const json_t *result)
{
	const json_t *device, *value;
	const char *name;
	size_t i;

	json_array_foreach(json_object_get(result, "devices"), i, device) {
		const char *before = "";

		json_object_foreach((json_t *)(uintptr_t)device, name, value) {
			char text[CELL_MAX];

			(void)cell_text(json_string_value(value), text);
			printf("%s%s", before, text);
			before = "  ";
		}
		putchar('\n');
	}
}
