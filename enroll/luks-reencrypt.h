/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A new volume key for the data where they are, by libcryptsetup's reencryption: new keyslots beside the
 * old ones first, then the data chunk by chunk, each protected by a copy in the header, then the old
 * keyslots go. Until that last step whatever opened the volume before opens it.
 */
#pragma once

#include "enroll/luks.h"

/* What a re-encryption takes at the least, in bytes, and in JSON for each keyslot besides. */
enum {
	LUKS_REENCRYPT_AREA = 128 * 1024, /* for a chunk's copy */
	LUKS_REENCRYPT_JSON = 2300,       /* for segments, digests, its keyslot and our note */
	LUKS_REENCRYPT_KEYSLOT_JSON = 420,
};

enum luks_reencryption {
	LUKS_REENCRYPTION_NONE,
	LUKS_REENCRYPTION_CLEAN,   /* between two chunks */
	LUKS_REENCRYPTION_CRASH,   /* within one, which is to be recovered */
	LUKS_REENCRYPTION_WRITTEN, /* behind the last; what is left is to end it */
	LUKS_REENCRYPTION_OTHER,   /* not one of ours: encrypts or decrypts, or needs repair */
};

enum luks_reencryption luks_reencryption(const struct luks *luks);

/* Whether the volume can be re-encrypted at all. Reasons go to the log. Errors: -EOPNOTSUPP. */
MUST int luks_reencrypt_possible(const struct luks *luks);

/*
 * A random key as long as the volume's, to a new buffer. Errors: -EIO, -ENOMEM.
 */
MUST int luks_reencrypt_new_key(const struct luks *luks, struct buf *ret);

/* What is left in a header, in bytes. */
struct luks_room {
	uint64_t area;    /* of the keyslots' area */
	uint64_t keyslot; /* that the largest keyslot takes of it */
	size_t json;
};

/* Errors: -EIO, -ENOMEM. */
MUST int luks_reencrypt_room(const struct luks *luks, struct luks_room *ret);

/* Reads the header anew. Errors: -EIO. */
MUST int luks_reload(struct luks *luks);

/* Writes a token. Reasons go to the log. Errors: -ENOSPC, -EIO. */
MUST int luks_add_token(struct luks *luks, const char *json);

/* A keyslot that holds the new key as `old` holds that of now; all borrowed. */
struct luks_twin {
	unsigned old, keyslot;
	struct ref secret; /* opens both */
	struct ref key;
};

/*
 * Adds the keyslot, which opens nothing yet, and gives it to the tokens that have `old`; it is opened to
 * see that it holds the key. Several header commits. Reasons go to the log. Errors: -EIO.
 */
MUST int luks_reencrypt_add(struct luks *luks, const struct luks_twin *twin);

/*
 * Writes into the header that the data are to be re-encrypted; none is yet. Reasons go to the log.
 * Errors: -EIO.
 */
MUST int luks_reencrypt_begin(struct luks *luks, const struct luks_twin *twin);

/* Called between two chunks; whether to stop there. */
typedef bool (*luks_reencrypt_progress)(void *arg, uint64_t size, uint64_t done);

/*
 * Re-encrypts chunk by chunk, from LUKS_REENCRYPTION_CLEAN. Where all are written it does not return but ends the
 * process with status 0: libcryptsetup would go on to its own last step, in which a loss of power loses
 * the volume. So it is for a child process. Reasons go to the log. Errors: -EINTR (stopped by
 * `progress`), -EPERM (`secret` opens nothing), -EIO.
 */
MUST int luks_reencrypt_run(struct luks *luks, struct ref secret, luks_reencrypt_progress progress,
			    void *arg);
