/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A volume that waits for its passphrase, and the tokens that hold it. */
#pragma once

#include "token/token.h"

enum { VOLUME_TOKENS_MAX = 32 };

struct crypt_device;

/* Tokens stand in the order of their numbers. */
struct volume {
	struct crypt_device *cd;
	struct token tokens[VOLUME_TOKENS_MAX];
	int ids[VOLUME_TOKENS_MAX];
	size_t n;
};

/* Takes NULL. */
void volume_free(struct volume *volume);
DEFINE_CLEANUP(struct volume *, volume_free)

/*
 * Reads the header of `device`, which is at `header` where that is not NULL, and those of our tokens
 * that can be used. A null cipher is refused. The cause goes to `log`, at ERROR only where it is about
 * tokens of ours. The caller frees *ret. Errors: -ENOENT (no LUKS2 volume, or none with such tokens), -EKEYREJECTED, -ENOMEM.
 */
MUST int volume_open(const char *device, const char *header, const struct log *log,
		     struct volume **ret);

/* The same with Clevis's tokens beside ours, the header being on `device`. */
MUST int volume_open_any(const char *device, const struct log *log, struct volume **ret);

/* Whether a token of it wants a smart card, and none the network. */
bool volume_waits_for_card(const struct volume *volume);

/* Whether the passphrase opens a keyslot of this token; nothing is activated. */
bool volume_opens(const struct volume *volume, const struct token *token, struct ref passphrase);
