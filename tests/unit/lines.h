/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What table tests share: keeping the lines that were logged, and changing a member of JSON. */
#pragma once

#include "crypto/log.h"
#include "tests/unit/vectors/jose.h"

struct lines {
	char errors[4096]; /* each with a newline */
	char debug[4096];
	size_t n_errors;
	struct log log;
};

static inline void lines_keep(char *text, size_t size, const char *line)
{
	size_t used = strlen(text);

	(void)snprintf(text + used, size - used, "%s\n", line);
}

static inline void lines_sink(void *to, enum log_level level, const char *line)
{
	struct lines *lines = to;

	if (level == LOG_LEVEL_DEBUG) {
		lines_keep(lines->debug, sizeof(lines->debug), line);
	} else {
		lines_keep(lines->errors, sizeof(lines->errors), line);
		lines->n_errors++;
	}
}

/* Begins anew; the struct stays where it is as long as `lines->log` is used. */
static inline const struct log *lines_begin(struct lines *lines)
{
	*lines = (struct lines){.log = {.sink = lines_sink, .to = lines, .debug = true}};
	return &lines->log;
}

/* A success is silent; a failure is one line that has these words. What is looked at may be just them. */
static inline void assert_told(const char *what, const struct lines *lines, const char *words)
{
	if (!words) {
		if (lines->n_errors != 0)
			fail_msg("%s: told in spite of success: %s", what ? what : "it",
				 lines->errors);
		return;
	}
	if (lines->n_errors != 1)
		fail_msg("%s: told %zu lines, want one: %s", what, lines->n_errors, lines->errors);
	if (!strstr(lines->errors, words))
		fail_msg("%s: told \"%s\", without \"%s\"", what, lines->errors, words);
}

/* Sets the member at a path of names with dots between; removes it where `value` is NULL. */
static inline void change(json_t *object, const char *path, const char *value)
{
	const char *dot = strchr(path, '.');
	char name[32] = "";

	memcpy(name, path, dot ? (size_t)(dot - path) : strlen(path));
	if (dot)
		change(json_object_get(object, name), dot + 1, value);
	else if (value)
		assert_int_equal(json_object_set_new(object, name, json_of(value)), 0);
	else
		assert_int_equal(json_object_del(object, name), 0);
}
