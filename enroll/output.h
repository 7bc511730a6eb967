/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people and programs read: one line a message on stderr, the result on stdout. */
#pragma once

#include "crypto/log.h"
#include "enroll/options.h"

/* Zero it, then output_init(). It must not move: `log` points into it. */
struct output {
	struct log log; /* for causes of failure: each line goes to stderr */
	json_t *errors; /* the same lines */
	bool quiet;     /* say nothing that is not asked for or a warning */
	json_t *json;   /* the result; verbs add to it */

	/* of several volumes */
	json_t *results;    /* that are to be written as one array; NULL: there is one volume */
	const char *volume; /* whose turn it is; NULL: none's */
	bool headed;        /* a table was written already */
};

/* What may not be UTF-8, such as a file's name, as a JSON string; NULL for NULL, and out of memory. */
json_t *output_bytes(const char *bytes);

/* Errors: -ENOMEM. */
MUST int output_init(struct output *out);

void output_done(struct output *out);

/* A line that informs; not written where quiet. */
void output_say(const struct output *out, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A line that is written even where quiet. */
void output_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * After a failure: an explanation, where there was none yet. What fails for want of memory alone is not told of
 * where it happens.
 */
void output_explain(const struct output *out);

/*
 * Begins anew, for the next of several volumes: lines and tables say from here on which it is, and JSON is
 * kept until output_end() writes it as an array. `device` is borrowed until the next call. Errors: -ENOMEM.
 */
MUST int output_begin(struct output *out, const char *device);
MUST int output_end(struct output *out, const struct options *options);

/*
 * Writes the result to stdout as options->form wants it; `ok` says whether the verb did what was
 * asked. Errors: -EIO (stdout took it not), -ENOMEM; output_end() has the same.
 */
MUST int output_result(struct output *out, const struct options *options, bool ok);
