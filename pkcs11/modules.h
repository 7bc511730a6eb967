/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PKCS #11 modules of this machine, and the tokens that are in their slots now. */
#pragma once

#include "pkcs11/p11-dl.h"
#include "pkcs11/uri.h"

struct modules {
	struct libp11 lib;
	CK_FUNCTION_LIST **all; /* those that p11-kit is configured with, else NULL */
	CK_FUNCTION_LIST *one;  /* the URI's module-path, else NULL */
};

/*
 * Loads the module that the URI names, else all that p11-kit knows. The cause goes to `log` at ERROR.
 * A header may be anyone's writing, and a module is code: one that others than root (or who runs this)
 * can write to is refused. Errors: -EOPNOTSUPP (no p11-kit), -EKEYREJECTED (such a module),
 * -ENODEV (it cannot be used), -ENOMEM.
 */
MUST int modules_open(const struct uri *uri, const struct log *log, struct modules *ret);

/* Takes zeroed structs too. */
void modules_close(struct modules *modules);

/* A token in its slot. */
struct place {
	CK_FUNCTION_LIST *module;
	CK_SLOT_ID slot;
	size_t index; /* among the module's slots with a token */
	CK_TOKEN_INFO info;
};

enum { PLACES_MAX = 8 };

/*
 * The tokens that the URI means, PLACES_MAX at most. Where it names neither these nor a module, they are those that want a login: stores
 * of certificates, which p11-kit has as well, are no cards, and systemd-cryptenroll leaves them out, too. A slot-id that no slot has is taken as Clevis takes it,
 * who hands it on as an index.
 */
size_t modules_find(const struct modules *modules, const struct uri *uri,
		    struct place ret[PLACES_MAX]);

/* Its label and serial number, for people: "card" (serial number 12ab). */
enum { PLACE_NAME_MAX = 80 };
void place_name(const struct place *place, char ret[PLACE_NAME_MAX]);

/* One of the fields of CK_TOKEN_INFO, without the blanks that fill it. */
void place_text(const CK_UTF8CHAR *field, size_t size, char *ret);
