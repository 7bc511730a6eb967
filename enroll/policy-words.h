/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of a policy's text, whose grammar is policy-text.h's. */
#pragma once

#include "crypto/buf.h"
#include "crypto/log.h"

/* A text, and where in it we are. */
struct words {
	struct ref text;
	size_t at;
	unsigned depth; /* of thresholds */
	const struct log *log;
};

/* Logs what is wrong at byte `at`, with its place as people count, and returns -EINVAL. */
int words_refuse(const struct words *p, size_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The next byte; NUL at the end. */
uint8_t words_next(const struct words *p);

void words_space(struct words *p);

/* Whether this comes next, after space; then it is left behind. */
bool words_skip(struct words *p, char c);

/* What comes next, for a sentence. */
const char *words_found(const struct words *p, char ret[16]);

/* Letters, digits, - and _; may be empty. */
struct ref words_word(struct words *p);

/* Whether a word is this text, which may be NULL. */
bool word_is(struct ref word, const char *text);

/*
 * A value, after space, to a new buffer: bare up to the next , or ) or in quotes. Errors:
 * -EINVAL, -ENOMEM.
 */
MUST int words_value(struct words *p, struct buf *ret);
