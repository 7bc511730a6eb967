/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The token that `clevis luks bind` writes, as the text of the cotter token that it can become. */
#pragma once

#include "crypto/log.h"
#include "token/token.h"

/*
 * The same JWE and keyslots as a token of ours, with this label (NULL: none). What it takes is checked as
 * token_parse() does; the cause goes to `log` as one sentence without the token's name. The caller frees
 * *ret. Errors: those of token_parse(), -EPERM (it is in the midst of a change), -ENOPKG (a part of the policy,
 * whether or not it is needed, is a pin that is not built in, as Clevis finds some on PATH; or it is encrypted
 * as none of ours is).
 */
MUST int clevis_token_convert(const char *json, const char *label, const struct log *log,
			      char **ret);

/*
 * A compact JWE, white space around it, as the token for this keyslot that Clevis would write. Only its form is looked
 * at. The caller owns *ret. Errors: -EBADMSG, -ENOMEM.
 */
MUST int clevis_token_from_compact(struct ref text, unsigned keyslot, json_t **ret);
