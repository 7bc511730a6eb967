/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All keys of a Tang server at one moment, and what it answers with them. A snapshot does not change
 * after it was made, so threads use it without a lock, each holding a reference.
 */
#pragma once

#include "tang/server/key.h"

struct keys;

/* One file of the folder. */
struct keys_file {
	char *name; /* of the file */
	struct key *key;
	bool hidden;      /* rotated out: not advertised, but recovers */
	uint64_t gone_us; /* when it was first missed in the folder, by now_us(); 0: it is there */
};

/* Frees an array from malloc() with what it holds. */
void keys_files_free(struct keys_file *files, size_t n);

/*
 * Makes a snapshot of `n` files, an array from malloc() which it takes over with all that it holds, also
 * on error. A key that is there twice counts once, advertised rather than hidden. The caller owns
 * *ret. Errors: -ENOMEM.
 */
MUST int keys_new(struct keys_file *files, size_t n, struct keys **ret);

struct keys *keys_ref(struct keys *keys);
void keys_unref(struct keys *keys);

DEFINE_CLEANUP(struct keys *, keys_unref)

/* The files, sorted: those not hidden first, each group by name; ret_n is how many. */
const struct keys_file *keys_files(const struct keys *keys, size_t *ret_n);

/* Whether a key that signs and a key that recovers are advertised. */
bool keys_usable(const struct keys *keys);

/* An advertised key that recovers, borrowed; NULL where there is none. */
struct key *keys_exchange_key(const struct keys *keys);

/* The key with this thumbprint, by any of the algorithms, borrowed; NULL where there is none. */
struct key *keys_find(const struct keys *keys, const char *thumbprint);

/*
 * The signed advertisement, as text that is the snapshot's: that of all advertised keys where
 * `thumbprint` is NULL, else the same signed by that key in addition, be it hidden or not. The first
 * call for a key signs, later ones find the text. Errors: -ENOKEY (no advertised key signs),
 * -ENOENT (no such key, or not one that signs), -ENOMEM.
 */
MUST int keys_advertisement(struct keys *keys, const char *thumbprint, struct ref *ret);

/*
 * Answers a recovery: `request` is the client's JWK, `thumbprint` names the key. The answer is a
 * new buffer; *ret_key is the key, borrowed from the snapshot, for key_name() and key_count().
 * Tang's status for each error: -EBADMSG, -E2BIG 400 (no JWK of an EC point for ECMR, not on the key's curve,
 * infinity); -EKEYREJECTED 403 (key_ops of the request or of the key do not allow it); -ENOENT 404 (no
 * such key); -ENOKEY 500 (there is no key at all); -ENOMEM 500.
 */
MUST int keys_recover(const struct keys *keys, const char *thumbprint, struct ref request,
		      struct buf *ret, struct key **ret_key);
