/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates: ours, and those of clients. */
#pragma once

#include "tang/server/settings.h"

#include <gnutls/gnutls.h>

enum { TLS_SUBJECT_MAX = 256 };

/* For libmicrohttpd. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* Texts in PEM, each with a NUL; empty where the command line names no file. */
struct tls {
	struct buf certificate, key, client_ca;
};

/*
 * Reads the files that are named and checks that the key is the certificate's. Errors: -EBADMSG, those
 * of open(2) and read(2), -E2BIG, -ENOMEM, which have been logged.
 */
MUST int tls_load(const struct settings *settings, const struct log *log, struct tls *ret);
void tls_done(struct tls *tls);

/*
 * Whether the client has shown a certificate of the CA, and whose: `ret` is the subject's distinguished
 * name (RFC 4514), cut where it is too long. Errors: -EKEYREJECTED.
 */
MUST int tls_client(gnutls_session_t session, char ret[TLS_SUBJECT_MAX]);
