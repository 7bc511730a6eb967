/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cotter-enroll tells of a renewal, as entries of the journal. */
#pragma once

#include "crypto/buf.h"

#include <jansson.h>

/* Documented in cotter-renew.service(8), so they stay. */
#define RENEWED_ID_RENEWED "4dc36c3fe8e9b08ead576e6852c19106"
#define RENEWED_ID_NOT_DUE "d376483150e79fe19f0a1d08007b9665"
#define RENEWED_ID_FAILED  "97fcce63ca5ec085c067ed82196bc727" /* or kept as it was */

/* About a volume, a token of it, or a part of a token's policy. Strings are borrowed. */
struct renewed {
	const char *device;
	int token;          /* -1: it is about the volume */
	int keyslot;        /* -1: not known */
	const char *leaf;   /* whom a part of the policy asks; NULL: it is about the whole */
	const char *result; /* "renewed", "not-due", "kept" or "failed" */
	const char *cause;  /* NULL: none */
};

enum { RENEWED_FIELDS_MAX = 10 };

/* An entry of the journal: texts as NAME=VALUE. End it with renewed_fields_done(). */
struct renewed_fields {
	char *fields[RENEWED_FIELDS_MAX];
	size_t n;
};

typedef int (*renewed_fn)(void *arg, const struct renewed *renewed);

/*
 * Calls `fn` for each entry that JSON output of --renew is worth, of one volume or an array of several: one a
 * token, one a part that has a cause of its own, and one an error where no token has it. Stops where it
 * fails, and returns that. Errors: -EBADMSG (no such output), -ENOMEM.
 */
MUST int renewed_each(const json_t *output, renewed_fn fn, void *arg);

/* Errors: -ENOMEM. */
MUST int renewed_fields(const struct renewed *renewed, struct renewed_fields *ret);

void renewed_fields_done(struct renewed_fields *fields);
