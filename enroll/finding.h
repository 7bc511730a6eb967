/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --doctor finds of a volume: what is wrong, and what to do about it. */
#pragma once

#include "crypto/js.h"
#include "crypto/util.h"

enum finding_weight {
	FINDING_WARNING, /* the volume opens in spite of it, or later than it could */
	FINDING_AWAY,    /* it does not open by this token while something is out of reach */
	FINDING_ERROR,   /* it does not open by this token, or of a volume by none */
};

/* One kind of finding: the name by which programs know it, and what to do. */
struct finding_kind {
	const char *name;
	enum finding_weight weight;
	const char *remedy;
};

enum { FINDING_OF_VOLUME = -1 };

/* Zero it but for `list`, an array. */
struct findings {
	json_t *list;
	int token;                 /* that findings are of now, or FINDING_OF_VOLUME */
	enum finding_weight worst; /* of that, while `any` */
	bool any;
	bool failed; /* out of memory */
};

/* Those that follow are of this token. */
void findings_of(struct findings *findings, int token);

/* Adds a finding, `fmt` being one sentence without its stop. */
void finding_add(struct findings *findings, const struct finding_kind *kind, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
