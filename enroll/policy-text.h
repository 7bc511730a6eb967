/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Policies as people write them, to configurations and back:
 *
 *	2 of (tpm2(pcrs=7), tang(http://a), 1 of (tang(http://b), tang(http://c)))
 *
 *	part     = NUMBER "of" "(" part { "," part } ")"
 *		 | PIN [ "(" [ argument { "," argument } ] ")" ]
 *	argument = [ NAME "=" ] value
 *	value    = text without , ( ) and "
 *		 | '"' text, in which \" \\ and \n stand for " \ and newline '"'
 *
 * White space is free. Names are those of the pin's table of members (options-pin.h).
 */
#pragma once

#include "enroll/tree.h"

enum { POLICY_TEXT_MAX = 64 * 1024 };

/*
 * Parses a whole text. Files that it names are not looked at: see pin_options.complete().
 * *ret_pin lives as long as the program, *ret_config is new; tree_check() would pass it. What is
 * wrong goes to `log` as one sentence that says where. Errors: -EINVAL, -ENOMEM.
 */
MUST int policy_text_parse(struct ref text, const struct log *log, const char **ret_pin,
			   json_t **ret_config);

/*
 * The text that gives this configuration, which tree_check() passed, again; numbers become
 * strings, and so do lists of PCRs. The caller frees *ret. Errors: -EINVAL (a member of a type
 * that no text has), -ENOMEM.
 */
MUST int policy_text_format(const char *pin, const json_t *config, char **ret);
