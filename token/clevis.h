/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The LUKS2 token that Clevis writes, {"type":"clevis","keyslots":[…],"jwe":{…}}, read as one of ours. */
#pragma once

#include "token/token.h"

#define CLEVIS_TOKEN_TYPE "clevis"

/*
 * Parses such a token by the rules of token_parse(): its root pin is the one that its JWE names. The cause goes to
 * `log` at ERROR. Errors: those of token_parse().
 */
MUST int clevis_token_parse(struct ref json, const struct log *log, struct token *ret);
