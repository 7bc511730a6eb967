/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PKCS #11 URIs (RFC 7512), as far as they name a token, a key on it, its module and its PIN. We read
 * them ourselves: a header is checked without any library being loaded.
 */
#pragma once

#include "crypto/buf.h"
#include "crypto/log.h"

enum {
	URI_TEXT_MAX = 1024, /* bytes of a URI that is looked at */
	URI_NAME_MAX = 256,
	URI_LABEL_MAX = 33, /* PKCS #11's fields, and a NUL */
	URI_SERIAL_MAX = 17,
	URI_ID_MAX = 128,
};

/* Strings that are empty are not named. */
struct uri {
	char token[URI_LABEL_MAX];
	char manufacturer[URI_LABEL_MAX];
	char serial[URI_SERIAL_MAX];
	char model[URI_SERIAL_MAX];
	char object[URI_NAME_MAX];
	char type[URI_SERIAL_MAX];
	uint8_t id[URI_ID_MAX];
	size_t id_len;
	bool has_slot;
	unsigned long slot;
	char module_path[URI_NAME_MAX]; /* absolute */
	char pin_source[URI_NAME_MAX];  /* an absolute path */
	struct buf pin_value;           /* p NULL: none */
};

void uri_done(struct uri *uri);

/*
 * Reads a URI. As Clevis's users write them, module-path, pin-value and pin-source may stand among the
 * attributes of the path, too. Whatever would narrow the choice and is not known here is refused. The
 * cause goes to `log` at ERROR. Errors: -EBADMSG, -EOPNOTSUPP, -E2BIG, -ENOMEM.
 */
MUST int uri_read(const char *text, const struct log *log, struct uri *ret);

/* Its text in a new buffer, with a NUL behind it. Errors: -E2BIG, -ENOMEM. */
MUST int uri_write(const struct uri *uri, struct buf *ret);

/*
 * A copy of a URI's text without the PINs in it, for people; it then says that the PIN is empty, which no token is
 * asked with. NULL out of memory.
 */
char *uri_conceal(const char *text);

/* Whether it says by itself which PIN is to be used. */
bool uri_has_pin(const struct uri *uri);

/* Whether it says anything of the token or its slot. */
bool uri_names_token(const struct uri *uri);

/* Whether it names a key, not only a token. */
bool uri_names_key(const struct uri *uri);
