/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which keys of Tang servers that a binding holds are no longer advertised there. */
#pragma once

#include "crypto/js.h"
#include "crypto/log.h"

/*
 * Their S256 thumbprints, in the order in which the header holds them: a new array of strings, which is empty where
 * there are none. Nothing that comes is trusted, it is only compared. Each server that cannot be asked is told, and
 * where nothing else was found, that is the error. Errors: those of fetch_run() and adv_parse(), -EBADMSG.
 */
MUST int rotated_keys(const json_t *hdr, const struct log *log, json_t **ret);
