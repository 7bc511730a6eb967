/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The survey of a tang JWE (cot->survey, cot->surveyor): what its server advertises now, and whether a
 * signing key that the token holds vouches for it. An advertisement is asked for by the thumbprint of
 * such a key and must be signed by it; what /adv alone says is never trusted.
 */
#pragma once

#include "tang/adv.h"
#include "tang/fetch.h"
#include "tang/header.h"

/* On its way; a zeroed struct is empty. It keeps its address. */
struct inquiry {
	const struct binding *binding;
	struct adv held; /* what the token holds of an advertisement */
	size_t asked_by; /* index in `held` of the signing key that is asked by; n_keys: by none */
	bool lied;       /* an advertisement came that the key did not sign */
	bool odd; /* what came was neither an advertisement nor the word that there is none */
	char path[sizeof("adv/") + TANG_KID_MAX];
	struct fetch *fetch;
	const struct log *outer;
	struct log log; /* its ERROR lines go to survey->why, its DEBUG lines to `outer` */
	struct survey *survey;
};

struct surveyor {
	/*
	 * Asks for the first advertisement. `binding`, borrowed, was read from `hdr`. That the
	 * server cannot be asked is what the survey finds out. Errors: as binding_read().
	 */
	int (*begin)(struct cot *cot, const struct log *log, const struct binding *binding,
		     const json_t *hdr, struct inquiry *inquiry);

	/*
	 * 0: done, and *ret is what was found out, to be freed by survey_free(); -EINPROGRESS,
	 * never past the deadline; -ENOMEM.
	 */
	int (*step)(struct cot *cot, struct inquiry *inquiry, struct survey **ret);

	void (*done)(struct inquiry *inquiry);
};

/* For cot->surveyor. Whoever names it links it; the pin does not. */
extern const struct surveyor tang_surveyor;
