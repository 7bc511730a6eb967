/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all fuzzers share. A property that does not hold ends the process, as a crash does. */
#pragma once

#include "crypto/js.h"
#include "crypto/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(what) fuzz_check(what, #what, __FILE__, __LINE__)

static inline void fuzz_check(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, what);
	abort();
}

/* That it is 0 or one of these errors. */
#define CHECK_RESULT(r, ...) \
	fuzz_check_result(r, (const int[]){__VA_ARGS__, 0}, #__VA_ARGS__, __FILE__, __LINE__)

static inline void fuzz_check_result(int r, const int *allowed, const char *what, const char *file,
				     int line)
{
	if (r == 0)
		return;
	for (; *allowed; allowed++)
		if (r == *allowed)
			return;
	(void)fprintf(stderr, "%s:%d: %d is not 0, nor one of %s\n", file, line, r, what);
	abort();
}

enum { FUZZ_MARK = 0xa5 };

/* Fills what a function must leave alone where it fails, and looks whether it did. */
#define FUZZ_MARK(what)    memset(&(what), FUZZ_MARK, sizeof(what))
#define FUZZ_IS_MARK(what) fuzz_is_mark(&(what), sizeof(what))

static inline bool fuzz_is_mark(const void *p, size_t n)
{
	const uint8_t *bytes = p;

	for (size_t i = 0; i < n; i++)
		if (bytes[i] != FUZZ_MARK)
			return false;
	return true;
}

/* A copy with a NUL behind it; the caller frees it. */
static inline char *fuzz_text(struct ref bytes)
{
	char *text = malloc(bytes.n + 1);

	CHECK(text);
	if (bytes.n > 0)
		memcpy(text, bytes.p, bytes.n);
	text[bytes.n] = '\0';
	return text;
}

/* An input that is JSON goes to one, and any other to the other. */
static inline void fuzz_json_or_text(struct ref input, void (*read_json)(const json_t *json),
				     void (*read_text)(const char *text))
{
	char *text = fuzz_text(input);
	json_t *json = NULL;

	if (js_load(input, &json) == 0)
		read_json(json);
	else
		read_text(text);
	json_decref(json);
	free(text);
}

/* Takes what is before the first NUL, which is left behind; else all. */
static inline struct ref fuzz_part(struct ref *rest)
{
	const uint8_t *nul = rest->n > 0 ? memchr(rest->p, '\0', rest->n) : NULL;
	struct ref part = {rest->p, nul ? (size_t)(nul - rest->p) : rest->n};

	rest->p += part.n + (nul ? 1 : 0);
	rest->n -= part.n + (nul ? 1 : 0);
	return part;
}

/* The same as a buffer of just this size, so that each byte too many is seen. */
static inline struct buf fuzz_part_copy(struct ref *rest)
{
	struct buf copy = {0};

	CHECK(buf_copy(&copy, fuzz_part(rest)) == 0);
	return copy;
}

/* Every line is what a sink is promised. */
static inline void fuzz_sink(void *to, enum log_level level, const char *line)
{
	size_t n = strlen(line);

	(void)to;
	(void)level;
	CHECK(n < LOG_LINE_MAX);
	for (size_t i = 0; i < n; i++)
		CHECK(line[i] >= ' ' && line[i] <= '~');
}

static const struct log fuzz_log = {.sink = fuzz_sink, .debug = true};
