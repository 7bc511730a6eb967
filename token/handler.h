/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our token types as libcryptsetup sees them: what the plugins export and what cotter-enroll
 * registers in its own process. Return codes are the closed set of token_errno().
 */
#pragma once

#include "token/token.h"

#include <libcryptsetup.h>

/*
 * Maps an errno of ours to one that libcryptsetup goes on after: 0, -ENOANO, -EAGAIN (something is
 * missing now: a server, a device, or time: -EINTR too) or -ENOENT (this token cannot unlock the volume).
 */
int token_errno(int r);

/*
 * Whether the data (keyslot CRYPT_ANY_SLOT), or what this keyslot holds, is not encrypted at all: one
 * of the kernel's or cryptsetup's null ciphers, however they are wrapped.
 */
bool handler_null_cipher(struct crypt_device *cd, int keyslot);

/*
 * Refuses a volume whose data or one of the token's keyslots is so: whoever can write the header could else
 * have it "opened" without any encryption, and read the key's next use. The cause goes to `log`. Errors:
 * -EKEYREJECTED.
 */
MUST int handler_refuse_null_cipher(struct crypt_device *cd, const struct token *token,
				    const struct log *log);

/*
 * Recovers token number `token` of `cd` within its deadline, or max_us where that is sooner (0: no
 * such limit), and hands out its secret in a buffer of exactly that size, freed by
 * handler_buffer_free(). Refuses a volume whose segment or one of the token's keyslots has a null
 * cipher. Failures are told through crypt_logf() at ERROR, a line a leaf and
 * one for the whole. Errors: of token_errno().
 */
int handler_open(struct crypt_device *cd, int token, uint64_t max_us, char **ret, size_t *ret_len);

/*
 * The same with the PIN that a person typed, which is borrowed. -ENOENT at once, nothing being asked,
 * where the token takes no PIN or the PIN is empty; -ENOANO where it was wrong and another may be
 * tried.
 */
int handler_open_pin(struct crypt_device *cd, int token, struct ref pin, char **ret,
		     size_t *ret_len);

/* Wipes and frees. */
void handler_buffer_free(void *buffer, size_t len);

/* 0 where handler_open() can use this JSON, else -EINVAL; no I/O. */
int handler_validate(struct crypt_device *cd, const char *json);

/* Whether token number `token` of `cd` can be used and may use the network then. */
bool handler_uses_network(struct crypt_device *cd, int token);

/* Prints what token_describe() gives through crypt_log() at NORMAL. */
void handler_dump(struct crypt_device *cd, const char *json);
