/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A conversation with one token: the keys on it, and its PIN. */
#pragma once

#include "pkcs11/modules.h"

struct card {
	const struct libp11 *lib;
	const struct log *log;
	struct place place;
	CK_SESSION_HANDLE session;
	bool open, logged_in;
	bool refused;           /* it was asked with a PIN, which was wrong */
	struct ref pin;         /* what it was logged in with, borrowed; p NULL: at the PIN pad */
	struct buf pin_of_file; /* what that may point to */
};

/*
 * Opens a session with the one token that the URI means, which of several is the one that has its key. The
 * cause goes to `log`, which must outlive it, at ERROR, except for -EAGAIN. Errors: -EAGAIN (no such
 * token is here yet), -EKEYREJECTED (several), -ENODEV, -EIO.
 */
MUST int card_open(const struct modules *modules, const struct uri *uri, const struct log *log,
		   struct card *ret);

/* Says that no token is here that the URI means, where it does not come any more; returns -ENODEV. */
MUST int card_absent(const struct uri *uri, const struct log *log);

/* Logs out, and ends it. Takes zeroed structs too. */
void card_close(struct card *card);

/*
 * Logs in, where the token wants that. The PIN is the URI's, else `typed` (p NULL: nobody was asked yet). No
 * PIN is tried while the token says that the next wrong one locks it, but at its own PIN pad. Errors:
 * -ENOANO (a PIN is wanted, or the one typed was wrong), -EKEYREJECTED (locked, nearly locked, the
 * URI's PIN is wrong or cannot be read), -ENODEV, -EIO, -ENOMEM.
 */
MUST int card_login(struct card *card, const struct uri *uri, struct ref typed);

/*
 * Whether card_login() wants a PIN to be typed: not where the token wants none, has a pad of its own or the URI
 * says which. Errors: -EKEYREJECTED (no PIN may be tried), as card_login() has it.
 */
MUST int card_wants_typed(const struct card *card, const struct uri *uri, bool *ret);

/* Its label and serial number, for people. */
enum { CARD_NAME_MAX = 96 };
void card_name(const struct card *card, char ret[CARD_NAME_MAX]);

/* The same card has the same one, by whatever module and in whatever slot. */
uint64_t card_identity(const struct card *card);

/*
 * Writes what failed and why to the log at ERROR, and returns the errno: -ENODEV (the token went away),
 * -ENOMEM, -EIO.
 */
MUST int card_fail(const struct card *card, CK_RV rv, const char *what);

/* The objects that all of these attributes fit, `max` at most. Errors: as card_fail(). */
MUST int card_find(const struct card *card, CK_ATTRIBUTE *attributes, size_t n_attributes,
		   CK_OBJECT_HANDLE *ret, size_t max, size_t *ret_n);

/* An attribute's value in a new buffer. -ENOENT: the object has none, and nothing is said. */
MUST int card_attribute(const struct card *card, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
			struct buf *ret);

/* Whether an attribute that is a CK_BBOOL is there and true. */
bool card_attribute_true(const struct card *card, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
