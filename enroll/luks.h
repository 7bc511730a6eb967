/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A LUKS2 volume: opening it, what its header holds, and unlocking its volume key. */
#pragma once

#include "crypto/buf.h"
#include "crypto/log.h"

enum {
	LUKS_KEYSLOTS = 32,
	LUKS_TOKENS = 32,
	LUKS_ANY = -1,
};

struct crypt_device;

/* An opened volume, made by luks_open() and ended by luks_free(). */
struct luks {
	struct crypt_device *cd;
	int fd;                  /* of what holds the header */
	const char *name;        /* of the same, borrowed */
	const struct log *log;   /* borrowed */
	bool forward;            /* write libcryptsetup's ERROR lines (and its tokens') to `log` */
	char said[LOG_LINE_MAX]; /* the last of them */
};

enum luks_keyslot { LUKS_KEYSLOT_FREE, LUKS_KEYSLOT_ACTIVE, LUKS_KEYSLOT_UNBOUND };

/*
 * Registers our token types with libcryptsetup in this process and, unless `others`, keeps it from
 * loading token plugins. Once a process, before everything else. Errors: -EIO.
 */
MUST int luks_setup(bool others, const struct log *log);

/* Where libcryptsetup looks for token plugins, borrowed; NULL: it was built without them. After luks_setup(). */
const char *luks_plugins_folder(void);

/*
 * Has libcryptsetup give keyslots to tokens of this type too, which it keeps the pointer to (luks-bind.h);
 * nothing is recovered by them. After luks_setup(). Errors: -EIO.
 */
MUST int luks_carry(const char *type, const struct log *log);

/*
 * Opens the volume for reading or `to_write`; `header` may be NULL. Reasons go to `log`, a sentence
 * each. Errors: -ENOENT, -EACCES, -EROFS, -EMEDIUMTYPE (no LUKS2 volume), -EINVAL (neither a
 * device nor a file, or a damaged header), -EIO, -ENOMEM.
 */
MUST int luks_open(const char *device, const char *header, bool to_write, const struct log *log,
		   struct luks **ret);

/*
 * The same of a LUKS1 volume, for writing. -EMEDIUMTYPE is not told: it may be LUKS2.
 */
MUST int luks_open_luks1(const char *device, const char *header, const struct log *log,
			 struct luks **ret);

/*
 * Either, of which all below holds but what is said of tokens: LUKS1 has none. Errors: as luks_open(), but
 * -EMEDIUMTYPE is no LUKS volume at all.
 */
MUST int luks_open_any(const char *device, bool to_write, const struct log *log, struct luks **ret);
bool luks_is_luks1(const struct luks *luks);

/* Takes NULL; returns NULL. */
struct luks *luks_free(struct luks *luks);

static inline void luks_freep(struct luks **luks)
{
	*luks = luks_free(*luks);
}

/* The log callback that fills luks->said; usrptr is the struct luks. */
void luks_keep_log(int level, const char *line, void *usrptr);

/* What libcryptsetup said of its last failure, or what the errno `r` means; borrowed. */
const char *luks_cause(const struct luks *luks, int r);

/* Borrowed. */
const char *luks_uuid(const struct luks *luks);

enum luks_keyslot luks_keyslot(const struct luks *luks, unsigned keyslot);

/* Whether the data (keyslot LUKS_ANY) or what this keyslot holds is not encrypted at all. */
bool luks_null_cipher(const struct luks *luks, int keyslot);

/*
 * The token's type and JSON, borrowed until the header changes. Errors: -ENOENT (no such token),
 * -ENOMEM.
 */
MUST int luks_token(const struct luks *luks, unsigned token, const char **ret_type,
		    const char **ret_json);

/* The keyslots that exist and that this token names, a bit each. */
uint32_t luks_token_keyslots(const struct luks *luks, unsigned token);

/* What our tokens are opened with, as libcryptsetup hands it to our handler; p NULL: without it. */
struct luks_given {
	struct ref secret; /* that of a token which has no keyslot yet: nothing is recovered */
	struct ref user_pin;
};

/*
 * Recover the volume key to a new buffer. Reasons go to the log, but for -EPERM: the credential
 * opens no keyslot. Other errors: -ENOENT (no token can), -EAGAIN (a token needs what is missing now),
 * -ENOANO (a token needs a PIN, or another one than user_pin, whose p is NULL where nobody typed
 * one), -EIO, -ENOMEM.
 */
MUST int luks_unlock_by_passphrase(struct luks *luks, struct ref passphrase, struct buf *ret);
MUST int luks_unlock_by_key_file(struct luks *luks, const char *file, struct buf *ret);
MUST int luks_unlock_by_token(struct luks *luks, struct ref user_pin, struct buf *ret);

MUST int luks_unlock_by_this_token(struct luks *luks, unsigned token, struct buf *ret);

/* The same by one keyslot alone. */
MUST int luks_unlock_keyslot(struct luks *luks, int keyslot, struct ref passphrase,
			     struct buf *ret);

/* What a key file holds, "-" being standard input, to a new buffer. The reason goes to the log. Errors: -EIO, -ENOMEM. */
MUST int luks_read_key_file(struct luks *luks, const char *file, struct buf *ret);

/*
 * Whether `secret` opens this very keyslot; nothing is activated, no token asked. Errors: -EPERM.
 */
MUST int luks_keyslot_opens(struct luks *luks, unsigned keyslot, struct ref secret);

/* The same of any keyslot that holds the volume key. */
MUST int luks_opens(struct luks *luks, struct ref secret);

/*
 * Writes a token, over the one of this number or, LUKS_ANY, as a new one, and returns its number. Where json-c has no
 * memory for all of a text libcryptsetup writes what is left of it: so what is there then is compared. Errors:
 * libcryptsetup's, not told, and -ENOMEM.
 */
MUST int luks_set_token(struct luks *luks, int token, const char *json);

/* One header commit each. Reasons go to the log. Errors: -EIO. */
MUST int luks_remove_keyslot(struct luks *luks, unsigned keyslot);
MUST int luks_remove_token(struct luks *luks, unsigned token);
