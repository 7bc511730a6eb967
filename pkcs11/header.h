/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pkcs11 part of a protected header, Clevis's members first:
 *
 *	uri		which token, and which key on it
 *	mechanism	"RSA-PKCS" or "" (both Clevis's), "RSA-PKCS-OAEP", "ECDH1-DERIVE"
 *	key		an oct JWK, encrypted for the card's RSA key; base64url
 *	hash		of OAEP: "sha1"; without it SHA-256, as pkcs11-tool, which Clevis runs, has it
 *
 * With ECDH1-DERIVE there is no key: the JWE itself is `ECDH-ES` for the card's key.
 */
#pragma once

#include "crypto/jwk.h"
#include "crypto/log.h"
#include "crypto/public.h"
#include "pkcs11/uri.h"

struct card_header {
	struct uri uri;
	bool agrees;              /* ECDH-ES, else RSA */
	enum rsa_padding padding; /* of RSA */
	struct buf key;           /* of RSA */
	struct jwk epk;           /* of ECDH-ES */
};

void card_header_done(struct card_header *header);

/*
 * Which of the two, and how RSA pads, by mechanism and hash; both may be NULL. Errors: -EOPNOTSUPP.
 */
MUST int card_header_mechanism(const char *mechanism, const char *hash, struct card_header *ret);

/*
 * Reads and checks all that recovery uses. The cause goes to `log` at ERROR. Errors: -EBADMSG,
 * -EOPNOTSUPP, -E2BIG, -ENOMEM.
 */
MUST int card_header_read(const json_t *hdr, const struct log *log, struct card_header *ret);

/*
 * Writes clevis.pkcs11 and, but for ECDH-ES, alg and enc. `uri` is what is kept of it, `mechanism` NULL
 * the name of what the header says. Errors: -ENOMEM.
 */
MUST int card_header_write(const struct card_header *header, const char *uri, const char *mechanism,
			   json_t *hdr);

/* The mechanism's name. */
const char *card_header_name(const struct card_header *header);
