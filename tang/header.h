/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a tang JWE's protected header says, parsed into a checked struct. */
#pragma once

#include "crypto/jwk.h"
#include "crypto/log.h"

enum { TANG_KID_MAX = JWK_THUMBPRINT_MAX };

/* The members of clevis.tang that configuration and header share; borrowed, NULL where absent. */
struct server {
	const char *url;
	const char *ca;
	const char *pubkey;
};

/* A checked header. The strings are borrowed from it. */
struct binding {
	struct server server;
	const char *kid;
	struct jwk epk;
	struct jwk exchange_key;
	json_t *signing_thumbprints; /* array of strings, S256 */
};

void binding_done(struct binding *b);

/*
 * Reads and checks url, ca and pubkey of a clevis.tang object. The cause goes to `log` at ERROR.
 * Errors: -EBADMSG.
 */
MUST int server_read(const json_t *tang, const struct log *log, struct server *ret);

/*
 * Reads and checks all of a protected header that recovery uses; `hdr` must outlive the result. The
 * cause goes to `log` at ERROR. Errors: -EBADMSG, -EOPNOTSUPP, -E2BIG, -ENOMEM.
 */
MUST int binding_read(const json_t *hdr, const struct log *log, struct binding *ret);
