/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making an sss JWE's key and header from a configuration. */
#pragma once

#include "sss/sss.h"

/* pin.encrypt. The whole tree of configurations is checked before any of it is acted on. */
int seal_policy(struct cot *cot, const json_t *cfg, json_t *hdr, struct buf *ret_cek);
