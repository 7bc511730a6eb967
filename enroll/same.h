/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether two tokens bind to the same thing. */
#pragma once

#include "enroll/wipe.h"

#include <stdbool.h>

/*
 * Whether two protected headers describe the same binding: the same pin, the same key (`kid`) and
 * the same configuration but for the stored advertisement and the sealed object; URLs are
 * compared without trailing slashes and with the scheme that a missing one means. PCRs are the
 * same where their values are, too. Of PINs it is only seen whether there is one. Policies are
 * the same where their shares are, in any order, and as many are needed.
 */
MUST bool same_binding(const json_t *a, const json_t *b);

/* Whether two URLs name the same server: see above. */
MUST bool same_server(const char *url, const char *other);

/*
 * The token that binds the same as this protected header, or NULL: one that has a keyslot, or
 * (`orphaned`) one without, as a run leaves it that was ended. What `gone` removes does not count.
 */
const struct item *same_find(const struct inventory *inventory, const json_t *hdr,
			     const struct wipe *gone, bool orphaned);
