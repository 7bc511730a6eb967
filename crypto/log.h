/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where lines for people go: the owner of the run decides, the code that knows the cause writes. */
#pragma once

#include "crypto/util.h"

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_DEBUG };

enum { LOG_LINE_MAX = 512 };

/*
 * A sink gets whole lines without a newline, shorter than LOG_LINE_MAX, printable characters only.
 * `log` may be NULL wherever one is taken: then nothing is written.
 */
struct log {
	void (*sink)(void *to, enum log_level level, const char *line);
	void *to;
	bool debug; /* whether DEBUG lines are wanted at all */
};

/*
 * Write one line and return err, so that a caller logs and returns in one expression. Whatever is
 * not printable ASCII in the formatted text (a server's words, a header's) is written as '?'.
 */
int log_err(const struct log *log, int err, const char *fmt, ...) PRINTF_LIKE(3, 4);
int log_dbg(const struct log *log, int err, const char *fmt, ...) PRINTF_LIKE(3, 4);
