/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pkcs11 pin, compatible with Clevis's. Configuration, all of it optional:
 *
 *	uri		which token, and which key on it (RFC 7512), see uri.h; by default the one that is here
 *	mechanism	"RSA-PKCS" or "": in Clevis's form; also "RSA-PKCS-OAEP" (with "hash" "sha1" or
 *			"sha256", the default) and "ECDH1-DERIVE". By default the best that the token undoes,
 *			and never PKCS #1 v1.5
 *
 * The token is asked to undo it at once, so that its PIN is wanted: the URI's, or cot->user_pin.
 */
#pragma once

#include "crypto/pin.h"

extern const struct pin pin_pkcs11;

/* The tokens that are here now: a new array of {"uri": …, "token": …, "manufacturer": …}. Errors: -ENOMEM. */
MUST int pkcs11_tokens(json_t **ret);

/* Whether a binding with this configuration wants the PIN that a person types. */
bool pkcs11_asks_pin(const json_t *cfg);

/* Where a module's path leads to, for the caller to free; NULL where others than us can change that. */
char *pkcs11_settle_path(const char *path);

/* Takes the PINs out of a configuration that is to be shown. Errors: -ENOMEM. */
MUST int pkcs11_conceal(json_t *cfg);

/* Whether the configuration, and so the token that is made of it, has the PIN itself. */
bool pkcs11_holds_pin(const json_t *cfg);

/*
 * As pkcs11_asks_pin(), asked of the card: not where it has a PIN pad of its own, or takes none. The cause of a failure goes to
 * `log`. Errors: -ENODEV (it is not here), -EKEYREJECTED (its PIN is locked or nearly so, or there are several),
 * and those of pin_seal().
 */
MUST int pkcs11_wants_typed(const json_t *cfg, const struct log *log, bool *ret);

/* Whether that is a URI that we read. The cause goes to `log`. Errors: -EBADMSG, -EOPNOTSUPP, -E2BIG, -ENOMEM. */
MUST int pkcs11_check_uri(const char *text, const struct log *log);
