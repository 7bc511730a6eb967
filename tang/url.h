/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The URLs that can name a Tang server, read strictly: they come from headers anyone may have written. */
#pragma once

#include "crypto/util.h"

#include <stdbool.h>

/* Where the parts of a checked URL are in its text. */
struct url {
	bool https;
	size_t begin; /* of the host, after a scheme that may be missing */
	size_t end;   /* of the path prefix, without trailing slashes */
};

/*
 * Reads [http[s]://]HOST[:PORT][/PREFIX], HOST being a name, an IPv4 address or [IPv6]. No user
 * names, queries, fragments, white space or control characters; other scripts' names only as xn--.
 * Errors: -EBADMSG, -E2BIG.
 */
MUST int url_parse(const char *text, struct url *ret);

/*
 * The address of `path` under the server `base`, with its scheme. The caller frees *ret. Errors: as
 * url_parse(), and -ENOMEM.
 */
MUST int url_join(const char *base, const char *path, char **ret);
