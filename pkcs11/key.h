/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The private keys of a token that is logged in to, and what they do. */
#pragma once

#include "crypto/public.h"
#include "pkcs11/card.h"

enum { KEYS_MAX = 32 };

/* Handles; those that the URI names stand first. */
struct card_keys {
	CK_OBJECT_HANDLE all[KEYS_MAX];
	size_t n, n_named;
};

/*
 * The token's keys of this type, CKK_RSA that may decrypt or CKK_EC that may derive. A URI that names none
 * means them all. The name may also be a certificate's or a public key's, whose CKA_ID is then the
 * key's. Errors: -ENODEV, -EIO, -ENOMEM.
 */
MUST int card_keys(const struct card *card, const struct uri *uri, CK_KEY_TYPE type,
		   struct card_keys *ret);

/*
 * Decrypts to a new buffer, which is empty where the ciphertext was to blame for whatever went wrong: that is no error,
 * and nothing is said, so that it takes no other way than a text that makes no sense. Errors: -EKEYREJECTED, -EOPNOTSUPP (the token knows no such mechanism), -ENODEV, -EIO, -ENOMEM.
 */
MUST int key_decrypt(const struct card *card, CK_OBJECT_HANDLE key, enum rsa_padding padding,
		     struct ref text, struct buf *ret);

/* The x coordinate of a point, of the key's curve, times the key. Errors: as key_decrypt(). */
MUST int key_derive(const struct card *card, CK_OBJECT_HANDLE key, const struct jwk *point,
		    struct buf *ret);

/*
 * The public key that belongs to it: from its own numbers, the public key beside it or its certificate.
 * The cause goes to the log at ERROR. Errors: -EOPNOTSUPP (there is none, or of no use), -ENOMEM.
 */
MUST int key_public(const struct card *card, CK_OBJECT_HANDLE key, CK_KEY_TYPE type,
		    struct public_key *ret);
