/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON Web Encryption (RFC 7516), compact and flattened: `dir` and `ECDH-ES` with `A256GCM`, no
 * other algorithm. `zip`, `crit`, unprotected headers, several recipients and `aad` are refused.
 */
#pragma once

#include "crypto/jwk.h"

enum {
	JWE_CEK_SIZE = 32,
	JWE_IV_SIZE = 12,
	JWE_TAG_SIZE = 16,
	JWE_TEXT_MAX = 64 * 1024 * 1024, /* bytes of plaintext; JSON that holds a JWE has less */
};

/* A parsed JWE; a zeroed struct is empty. `prot` is the header's base64url, which is what the
 * authentication tag covers. */
struct jwe {
	json_t *hdr;
	char *prot;
	struct buf ciphertext;
	uint8_t iv[JWE_IV_SIZE];
	uint8_t tag[JWE_TAG_SIZE];
};

void jwe_done(struct jwe *jwe);

/*
 * Parses either serialization and checks the header against the list above. `value` is an object
 * (flattened) or a string (compact). Errors: -EBADMSG, -EOPNOTSUPP (algorithm, zip, crit), -E2BIG,
 * -ENOMEM.
 */
MUST int jwe_from_json(const json_t *value, struct jwe *ret);

/* The same from a compact text; white space around it is ignored. */
MUST int jwe_from_compact(struct ref text, struct jwe *ret);

/* What is wrong with a JWE that was refused with `err`: a sentence without its subject. */
const char *jwe_explain(int err);

/* A new flattened object with the members that José writes; NULL out of memory. */
json_t *jwe_to_json(const struct jwe *jwe);

/* The compact form. The caller frees *ret. Errors: -ENOMEM. */
MUST int jwe_to_compact(const struct jwe *jwe, char **ret);

/*
 * Encrypts `plaintext` under a fresh IV with the header `hdr`, which is not changed but kept (one
 * reference) and must name `alg` and `enc`. Errors: -EINVAL (key length), -E2BIG (plaintext
 * over JWE_TEXT_MAX, encoded header over JS_TEXT_MAX), -EOPNOTSUPP, -EIO (random generator), -ENOMEM.
 */
MUST int jwe_seal(json_t *hdr, struct ref cek, struct ref plaintext, struct jwe *ret);

/*
 * Decrypts to a new buffer. Errors: -EBADMSG (authentication failed), -EINVAL (key length),
 * -ENOMEM.
 */
MUST int jwe_open(const struct jwe *jwe, struct ref cek, struct buf *ret);

/*
 * Sender's side of ECDH-ES (RFC 7518 section 4.6): makes an ephemeral key, writes alg, enc and epk
 * to `hdr` and the content encryption key to a new buffer. Errors: -EBADMSG
 * (`to` is not on its curve), -EIO, -ENOMEM.
 */
MUST int jwe_agree(json_t *hdr, const struct jwk *to, struct buf *ret_cek);

/*
 * The content encryption key from the shared secret `z` (the x coordinate) by the Concat KDF, with
 * the header's apu and apv, to a new buffer. Errors: -EBADMSG, -ENOMEM.
 */
MUST int jwe_derive_cek(const json_t *hdr, struct ref z, struct buf *ret_cek);
