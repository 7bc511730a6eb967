/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sees to what follows a binding. */
#include "enroll/follow.h"

#include "enroll/crypttab-step.h"
#include "enroll/sequence.h"

/* Local tokens before those that need the network, where this one may stand behind such. */
static int set_order(struct luks *luks, const struct options *options, const struct token *token,
		     struct output *out)
{
	struct signals held;
	int r;

	if (!options->reorder && !sequence_is_local(token))
		return sequence_warn(luks);

	signals_hold(&held, false);
	r = sequence_set(luks, options->reorder, &held, out);
	signals_release(&held);
	return r < 0 || options->reorder ? r : sequence_warn(luks);
}

enum exit_code follow_binding(struct luks *luks, const struct options *options,
			      const struct token *token, enum exit_code code, struct output *out)
{
	if (code != EXIT_CODE_OK && code != EXIT_CODE_AWAY)
		return code;
	if (set_order(luks, options, token, out) < 0) {
		(void)log_err(&out->log, 0,
			      "the binding stays, but the order of tokens is not right; run "
			      "--reorder alone once that is mended");
		code = EXIT_CODE_FAILED;
	}
	if (options->crypttab && crypttab_step_do(luks, options, out) < 0) {
		(void)log_err(&out->log, 0,
			      "the binding stays, but crypttab is as it was; run --crypttab alone "
			      "once that is mended");
		code = EXIT_CODE_FAILED;
	}
	return code;
}
