/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A LUKS volume and its Clevis bindings, wherever its format keeps them: LUKS2 in tokens of type clevis, LUKS1
 * in luksmeta. A binding is a keyslot and the JWE that holds its passphrase, its secret; both have one number,
 * the slot.
 */
#pragma once

#include "enroll/luks.h"

enum {
	VOLUME_SLOTS_MAX = 32,
	VOLUME_ANY = -1,
};

struct volume;

/* A binding to make; all borrowed. */
struct volume_binding {
	const char *jwe; /* compact */
	struct ref secret;
	struct ref volume_key;
	int slot;  /* VOLUME_ANY: the first that is free */
	int token; /* VOLUME_ANY: the first id that is free; LUKS2 alone */

	/*
	 * Called once the binding is in the header at `slot`, which need not be the one that it will have in
	 * the end: an error has all as it was before. NULL: nothing is asked. The cause of an error is told.
	 */
	int (*prove)(void *arg, struct volume *volume, unsigned slot);
	void *arg;
};

/*
 * Recovers the secret of a binding in the header to a new buffer; errors are told, and the binding is left as it
 * is then.
 */
typedef int volume_recover(void *arg, const char *jwe, struct buf *ret);

/* What a format does. Each write is a chain of single header commits that each leave an openable volume. */
struct volume_format {
	const char *name; /* "luks1" */
	unsigned slots;

	/*
	 * Whether the place for bindings can be used. Errors: -ENOENT (it must be made by `init`), -EBADMSG
	 * (damaged; told).
	 */
	int (*check)(struct volume *volume);

	/* Makes that place; -EOPNOTSUPP where there is nothing to make. Errors are told. */
	int (*init)(struct volume *volume);

	/*
	 * The JWE of a slot, compact; the caller frees *ret. The keyslot need not be there (LUKS1). Errors:
	 * -ENOENT (no binding has this slot), -EBADMSG (damaged), -ENOMEM; none is told.
	 */
	int (*jwe)(struct volume *volume, unsigned slot, char **ret);

	/* Errors: -EEXIST (slot or token id taken), -ENOSPC, -EIO, those of `prove`; told. */
	int (*add)(struct volume *volume, const struct volume_binding *binding, unsigned *ret);

	/*
	 * Puts the binding in the place of the one that is at binding->slot, whose number (and token id) it
	 * has in the end; only then the old key is gone. `old` is the old secret; p NULL: not known. Errors:
	 * as `add`.
	 */
	int (*replace)(struct volume *volume, const struct volume_binding *binding, struct ref old);

	/* Removes keyslot, where there is one, and JWE. Errors: -EIO, told. */
	int (*remove)(struct volume *volume, unsigned slot);

	/*
	 * Brings to an end what was interrupted, as far as secrets can be recovered for it, or (`recover`
	 * NULL) as far as it needs none. Errors: -EIO, told, -ENOMEM.
	 */
	int (*resume)(struct volume *volume, volume_recover *recover, void *arg);

	void (*done)(struct volume *volume); /* frees volume->state; NULL: there is none */
};

extern const struct volume_format volume_luks1, volume_luks2;

/* An opened volume; a zeroed struct is empty. End it with volume_done(). */
struct volume {
	const struct volume_format *format;
	struct luks *
		luks; /* of either format: what luks.h says of keyslots and secrets holds for both */
	void *state;  /* of the format */
};

/*
 * Opens the volume for reading or `to_write`. Reasons go to `log`, a sentence each. Errors: -ENODEV (there is no
 * LUKS volume there), others of luks_open().
 */
MUST int volume_load(const char *device, bool to_write, const struct log *log, struct volume *ret);

void volume_done(struct volume *volume);

/* The slot that a text names, below the format's number of them. Errors: -EINVAL, untold. */
MUST int volume_slot(const struct volume *volume, const char *text, unsigned *ret);

/* The first slot whose keyslot is free. Errors: -ENOSPC, told. */
MUST int volume_free_slot(const struct volume *volume, unsigned *ret);
