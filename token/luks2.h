/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a LUKS2 volume and our tokens in it, for programs that change nothing and have words of their own. */
#pragma once

#include "token/token.h"

#include <libcryptsetup.h>

/*
 * Opens `device`, whose header is at `header` where that is not NULL; libcryptsetup then logs nothing, for any
 * device. The caller ends *ret with crypt_free(). Errors: -ENODEV (it cannot be read), -ENOENT (it is not a
 * LUKS2 volume).
 */
MUST int luks2_open(const char *device, const char *header, struct crypt_device **ret);

/*
 * Reads token number `id` where it is one of ours, can be used and opens a keyslot. The cause goes to `log`
 * where it is malformed. The caller ends *ret with token_done(). Errors: -ENOENT (it is not such a token),
 * -ENOMEM.
 */
MUST int luks2_token(struct crypt_device *cd, int id, const struct log *log, struct token *ret);

/* The same for a token of Clevis's. */
MUST int luks2_clevis_token(struct crypt_device *cd, int id, const struct log *log,
			    struct token *ret);
