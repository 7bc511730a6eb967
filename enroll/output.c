/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages, JSON and the choice of what is printed; the tables are table.c's. */
#include "enroll/output.h"

#include "enroll/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const verb_names[] = {
	[VERB_LIST] = "list",         [VERB_TEST] = "test",       [VERB_WIPE] = "wipe",
	[VERB_ENROLL] = "enroll",     [VERB_DEVICES] = "devices", [VERB_EXPLAIN] = "explain",
	[VERB_CRYPTTAB] = "crypttab", [VERB_REORDER] = "reorder", [VERB_REPORT] = "report",
	[VERB_RENEW] = "renew",       [VERB_IMPORT] = "import",   [VERB_DOCTOR] = "doctor",
};

/* The volume that lines are about, printable; "" where there is one. One at a time in a process. */
static char about[LOG_LINE_MAX];

/* Whether an error or a warning was written about it. */
static bool explained;

static void write_stderr(const char *line)
{
	(void)fprintf(stderr, "cotter-enroll: %s%s%s\n", about, *about ? ": " : "", line);
}

static void error_sink(void *to, enum log_level level, const char *line)
{
	struct output *out = to;

	if (level != LOG_LEVEL_ERROR)
		return;

	explained = true;
	(void)json_array_append_new(out->errors, json_string(line));
	write_stderr(line);
}

static void plain_sink(void *to, enum log_level level, const char *line)
{
	(void)to;
	(void)level;
	write_stderr(line);
}

int output_init(struct output *out)
{
	explained = false;
	out->log = (struct log){.sink = error_sink, .to = out};
	out->json = json_object();
	out->errors = json_array();
	return out->json && out->errors ? 0 : -ENOMEM;
}

void output_done(struct output *out)
{
	json_decref(out->json);
	json_decref(out->errors);
	json_decref(out->results);
	out->json = NULL;
	out->errors = NULL;
	out->results = NULL;
	about[0] = '\0';
}

static void about_sink(void *to, enum log_level level, const char *line)
{
	(void)to;
	(void)level;
	(void)snprintf(about, sizeof(about), "%s", line);
}

int output_begin(struct output *out, const char *device)
{
	const struct log names = {.sink = about_sink};
	json_t *json = json_object(), *errors = json_array();

	if (!out->results)
		out->results = json_array();
	if (!json || !errors || !out->results) {
		json_decref(json);
		json_decref(errors);
		return -ENOMEM;
	}

	json_decref(out->json);
	json_decref(out->errors);
	out->json = json;
	out->errors = errors;
	out->volume = device;
	explained = false;
	(void)log_err(&names, 0, "%s", device);
	return 0;
}

static void PRINTF_LIKE(1, 0) write_line(const char *fmt, va_list ap)
{
	const struct log plain = {.sink = plain_sink};
	char line[LOG_LINE_MAX];

	if (vsnprintf(line, sizeof(line), fmt, ap) >= 0)
		(void)log_err(&plain, 0, "%s", line);
}

void output_say(const struct output *out, const char *fmt, ...)
{
	va_list ap;

	if (out->quiet)
		return;

	va_start(ap, fmt);
	write_line(fmt, ap);
	va_end(ap);
}

void output_warn(const char *fmt, ...)
{
	va_list ap;

	explained = true;
	va_start(ap, fmt);
	write_line(fmt, ap);
	va_end(ap);
}

void output_explain(const struct output *out)
{
	if (!explained && json_array_size(json_object_get(out->json, "tokens")) == 0)
		(void)log_err(&out->log, 0,
			      "memory is short, or a library failed and did not say why; "
			      "--list shows what was done");
}

json_t *output_bytes(const char *bytes)
{
	json_t *string = bytes ? json_string(bytes) : NULL;
	char *plain;

	if (string || !bytes)
		return string;

	plain = strdup(bytes);
	for (char *c = plain; c && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	string = plain ? json_string(plain) : NULL;
	free(plain);
	return string;
}

/* The members that every result has, in front of the verb's own. */
static json_t *whole_result(const struct output *out, const struct options *options, bool ok)
{
	CLEANUP_JSON json_t *whole =
		json_pack("{s:s, s:o*, s:o*, s:s, s:O*}", "verb", verb_names[options->verb],
			  "device", output_bytes(options->device), "header",
			  output_bytes(options->header), "result", ok ? "ok" : "failed", "errors",
			  json_array_size(out->errors) > 0 ? out->errors : NULL);

	if (!whole || json_object_update(whole, out->json) < 0)
		return NULL;
	return TAKE_PTR(whole);
}

static int write_json(const json_t *json, const struct options *options)
{
	size_t flags = options->form == OUTPUT_JSON_PRETTY ? JSON_INDENT(4) : JSON_COMPACT;

	if (json_dumpf(json, stdout, flags | JSON_REAL_PRECISION(6)) < 0)
		return -EIO;
	return putchar('\n') == EOF ? -EIO : 0;
}

static int keep_or_write_json(const struct output *out, const struct options *options, bool ok)
{
	CLEANUP_JSON json_t *whole = whole_result(out, options, ok);

	if (!whole)
		return -ENOMEM;
	if (out->results)
		return json_array_append(out->results, whole) < 0 ? -ENOMEM : 0;
	return write_json(whole, options);
}

/* Above a table, where there are several. */
static void write_heading(struct output *out)
{
	if (!out->volume)
		return;
	if (out->headed)
		putchar('\n');
	out->headed = true;
	table_heading(out->volume);
}

static void write_table(struct output *out, const struct options *options, bool ok)
{
	bool quiet_success = ok && out->quiet;

	switch (options->verb) {
	case VERB_LIST:
	case VERB_EXPLAIN:
		if (!ok)
			break;
		write_heading(out);
		if (options->verb == VERB_LIST)
			table_list(out->json);
		else
			table_explain(out->json);
		break;
	case VERB_TEST:
	case VERB_REPORT:
		if (!quiet_success && json_array_size(json_object_get(out->json, "tokens")) > 0)
			write_heading(out);
		if (options->verb == VERB_TEST)
			table_test(out->json, out->quiet);
		else
			table_report(out->json, out->quiet);
		break;
	case VERB_DOCTOR:
		table_doctor(out->json, ok, out->quiet);
		break;
	case VERB_DEVICES:
		if (ok)
			table_devices(out->json);
		break;
	default:
		break;
	}
}

static int check_written(struct output *out, int r)
{
	if (r == 0 && (fflush(stdout) == EOF || ferror(stdout)))
		r = -EIO;
	if (r < 0)
		return log_err(&out->log, r, "the result could not be written to standard output");
	return 0;
}

int output_result(struct output *out, const struct options *options, bool ok)
{
	int r = 0;

	if (options->form != OUTPUT_TEXT)
		r = keep_or_write_json(out, options, ok);
	else
		write_table(out, options, ok);
	return check_written(out, r);
}

int output_end(struct output *out, const struct options *options)
{
	json_t *none = json_array();
	int r = 0;

	about[0] = '\0';
	out->volume = NULL;
	if (options->form != OUTPUT_TEXT)
		r = none ? write_json(out->results ? out->results : none, options) : -ENOMEM;
	json_decref(none);
	return check_written(out, r);
}
