/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokens in a header, written with and without notes of what is not finished: one commit each. */
#pragma once

#include "enroll/luks-unfinished.h"

/* The text as token `token`. Errors: -ENOSPC, -EIO, told. */
MUST int luks_note_set_token(struct luks *luks, unsigned token, const char *text);

/* What luks_unfinished_write() makes of the text, as token `token`. Errors: its own, and those above. */
MUST int luks_note_set(struct luks *luks, unsigned token, const char *text,
		       const struct luks_unfinished_note *note, int keyslot);

/* The token as it is, but without its note. Errors: as above. */
MUST int luks_note_drop(struct luks *luks, unsigned token);

/* A copy of the token's text, which the caller frees; NULL: there is no such token, or no memory. */
char *luks_note_token_text(const struct luks *luks, unsigned token);

/* A token other than this one that names the keyslot; LUKS_ANY where there is none. */
int luks_note_other_token(const struct luks *luks, unsigned token, unsigned keyslot);

/*
 * The keyslot's print, which the next to have its number does not have. Errors: -ENOENT (no such keyslot),
 * -ENOMEM.
 */
MUST int luks_note_print(const struct luks *luks, unsigned keyslot, struct luks_print *ret);
