/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One token tried as a boot would try it: its secret recovered and a keyslot opened by it. */
#pragma once

#include "enroll/inventory.h"

/*
 * How it went; `why` is empty where it opened a keyslot. A zeroed struct is empty; it must not
 * move, and ends with trial_done().
 */
struct trial {
	/* The worse the higher. TRIAL_EARLY: it opens in the initramfs alone, which only its caller knows. */
	enum { TRIAL_OPENS, TRIAL_EARLY, TRIAL_AWAY, TRIAL_FAILS } result;
	bool wants_pin; /* it fails because of the PIN alone, which was wrong or not given */
	bool pin_given;
	bool asked; /* a recovery was tried, and `job` says how it went */
	uint64_t took_us;
	char why[LOG_LINE_MAX];
	struct log log; /* fills `why` */
	struct job job;
	bool survey; /* set by the caller: see struct cot */
};

void trial_done(struct trial *trial);

/*
 * Recovers the token's secret, with this PIN where p is set, to a new buffer within the token's
 * deadline; nothing is opened by it yet. `trial` is empty or of a trial before. On failure
 * trial->result is TRIAL_AWAY where something cannot be reached now, and nobody need change token
 * or server for it to pass. Errors: those of token_recover().
 */
MUST int trial_recover(const struct token *token, struct ref user_pin, struct trial *trial,
		       struct buf *ret);

/* What a trial came by. A zeroed struct is empty. End it with trial_gain_done(). */
struct trial_gain {
	struct buf secret;
	unsigned keyslot;    /* that the secret opened */
	struct buf user_pin; /* that a person typed for it; empty: none */
};

void trial_gain_done(struct trial_gain *gain);

/* The whole: recovers, and opens one of the token's keyslots. */
void trial_run(struct luks *luks, const struct item *item, struct ref user_pin, struct trial *ret);

/* The same; where it is the PIN alone that is wanted, a person at the terminal is asked for it. */
void trial_run_asking(struct luks *luks, const struct item *item, struct trial *ret);

/*
 * The same, keeping what it came by where the token opens one of its keyslots. With `whole` the PIN is asked
 * for also where the policy holds without it.
 */
void trial_open_asking(struct luks *luks, const struct item *item, bool whole, struct trial *ret,
		       struct trial_gain *ret_gain);
