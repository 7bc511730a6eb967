/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes a key that only a token's private key gives back. */
#pragma once

#include "crypto/pin.h"

/* As pin.encrypt(). */
MUST int card_seal(struct cot *cot, const json_t *cfg, json_t *hdr, struct buf *ret_cek);
