/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plain digests and password stretching. */
#pragma once

#include "crypto/buf.h"

enum { HASH_SIZE_MAX = 64 /* bytes of the longest digest */ };

/*
 * The digest of the n parts, one after the other, by OpenSSL's name of the algorithm ("SHA256");
 * writes as many bytes as the algorithm gives. Errors: -EOPNOTSUPP (no such algorithm), -ENOMEM.
 */
MUST int hash_digest(const char *name, const struct ref *parts, size_t n,
		     uint8_t ret[HASH_SIZE_MAX]);

/* PBKDF2 with HMAC-SHA-256 (RFC 8018); writes n bytes. Errors: -ENOMEM. */
MUST int hash_pbkdf2(struct ref password, struct ref salt, unsigned rounds, uint8_t *ret, size_t n);
