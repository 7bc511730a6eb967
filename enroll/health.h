/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a binding is doing: what its servers advertise, which of its parts fail, whether it opens. */
#pragma once

#include "enroll/trial.h"

/* The worse the higher. */
enum health {
	HEALTH_OK,      /* also where only a PIN is missing, or the right time of the boot */
	HEALTH_DUE,     /* a server has other keys, and one that is trusted vouches for them */
	HEALTH_FAILING, /* a part fails, or what its server advertises cannot be trusted or had */
	HEALTH_FAILED,  /* the policy does not hold, or its secret opens nothing */
};

/* "ok", "due", "failing", "failed" */
const char *health_name(enum health health);

/*
 * Judges a trial with a survey. `facts` are inventory_facts() of the token; `report`, which is
 * token_report() of the trial's job, or NULL, gets a member "health" in each part: a name as above,
 * "early" or "wants a PIN".
 */
enum health health_judge(const struct trial *trial, const json_t *facts, json_t *report);
