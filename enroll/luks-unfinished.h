/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cotter.unfinished (cotter-token(5)): what a token says of a change that has come to no end yet, so that
 * the next run can bring it to one. Text only; the header is luks-takeover.h's.
 */
#pragma once

#include "enroll/luks.h"

#include "crypto/jwe.h"

/* What tells a keyslot from another that took its number; all zeros: not known. */
struct luks_print {
	uint8_t digest[32];
};

/* A zeroed struct is empty. End it with luks_unfinished_done(). */
struct luks_unfinished {
	int token;         /* the id that this token is to take over; LUKS_ANY: none, it is there */
	unsigned keyslot;  /* that is to go */
	bool sealed;       /* `secret` is there */
	struct jwe secret; /* print and what opens it, sealed under what this token recovers */
};

void luks_unfinished_done(struct luks_unfinished *unfinished);

/* What a token's text says. Errors: -ENOENT (nothing that is understood), -ENOMEM. */
MUST int luks_unfinished_read(const char *token, struct luks_unfinished *ret);

/*
 * The secret of its keyslot, to a new buffer, which is empty where it was not known, and the keyslot's print when
 * it was noted; by the secret of its token. Errors: -ENOENT (there is none), -EBADMSG, -ENOMEM.
 */
MUST int luks_unfinished_open(const struct luks_unfinished *unfinished, struct ref by,
			      struct buf *ret, struct luks_print *ret_print);

/* What is to be written of it. */
struct luks_unfinished_note {
	int token; /* as above */
	unsigned keyslot;
	struct ref secret; /* p NULL: not known, so that the print alone tells the keyslot later */
	struct ref by;     /* of the token that bears the note */
	struct luks_print print; /* of the keyslot */
};

/*
 * The text of a token again, with this note in place of one that it may have (NULL: without any), and
 * with this keyslot alone (LUKS_ANY: with those that it has). The caller frees *ret. Errors: -EBADMSG
 * (the text), -EIO, -ENOMEM.
 */
MUST int luks_unfinished_write(const char *token, const struct luks_unfinished_note *note,
			       int keyslot, char **ret);
