/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs what writes the needs of a policy, and compares the lines. */
#pragma once

#include "units/needs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

typedef int needs_func(const struct needs *needs, const json_t *facts);

static char needs_cause[LOG_LINE_MAX];

static inline void needs_sink(void *to, enum log_level level, const char *line)
{
	(void)to;
	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(needs_cause, sizeof(needs_cause), "%s", line);
}

static const struct log needs_log = {.sink = needs_sink};

/* Returns what func() did; the lines are *ret, which the caller frees. */
static inline int needs_run(needs_func *func, const char *facts, char **ret)
{
	CLEANUP_JSON json_t *json = json_loads(facts, 0, NULL);
	struct needs needs = {.plugins = "/plugins", .log = &needs_log};
	size_t n;
	int r;

	assert_non_null(json);
	*ret = NULL;
	needs_cause[0] = '\0';
	needs.to = open_memstream(ret, &n);
	assert_non_null(needs.to);
	r = func(&needs, json);
	assert_int_equal(fclose(needs.to), 0);
	return r;
}

static inline void assert_needs(needs_func *func, const char *facts, const char *lines)
{
	char *text;

	assert_int_equal(needs_run(func, facts, &text), 0);
	assert_string_equal(text, lines);
	assert_string_equal(needs_cause, "");
	free(text);
}

static inline void assert_needs_fails(needs_func *func, const char *facts, int error)
{
	char *text;

	assert_int_equal(needs_run(func, facts, &text), error);
	free(text);
}
