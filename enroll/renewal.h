/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a renewal is to make of a token, part by part; decided from what its recovery and its survey found out. */
#pragma once

#include "enroll/options.h"

/* A zeroed struct is empty. End it with renewal_done(). */
struct renewal {
	const char *pin; /* what the token is bound by again */
	json_t *config;  /* NULL: some part cannot be bound again */
	bool due;        /* that is another binding than it is now */
	json_t *leaves;  /* an array for people: "pin", "where", "state", "cause" */
	bool wants_pin;  /* some part takes the PIN that was not typed, or was not tried there */
	int error;       /* of the first part that cannot be bound again */
	char why[LOG_LINE_MAX];
};

/* Which of options->wishes were about some part, over all tokens of a run; zeroed at its beginning. */
struct renewal_wishes {
	uint64_t used;                /* a bit each */
	char where[LOG_LINE_MAX / 2]; /* the server of one that names none */
};

void renewal_done(struct renewal *renewal);

/*
 * Fills *ret for a token whose secret opened its keyslot; `job` is that recovery, which surveyed.
 * A part that cannot be bound again is renewal.error; of all of these -EKEYREJECTED of a survey, which
 * says that a server is not to be trusted, comes first. A wish that names no server is refused
 * for a second one. Errors: -ENOMEM.
 */
MUST int renewal_plan(const struct token *token, const struct job *job,
		      const struct options *options, struct renewal *ret,
		      struct renewal_wishes *wishes);
