/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a header to its key, by a token. */
#pragma once

#include "crypto/pin.h"
#include "pkcs11/card.h"
#include "pkcs11/header.h"

/*
 * The content encryption key in a new buffer. `hdr` is what `header` was read from. A ciphertext that the
 * token's key does not decrypt gives a random key, which then opens nothing, as a wrong one does: whoever
 * sends ciphertexts learns nothing of how they were padded. A card that refused a PIN in this recovery is not asked
 * with another one. The cause goes to the card's log at ERROR.
 * Errors: -ENOANO, -EKEYREJECTED, -EOPNOTSUPP, -ENODEV, -EIO, -ENOMEM.
 */
MUST int recover(struct cot *cot, struct card *card, const struct card_header *header,
		 const json_t *hdr, struct buf *ret_cek);
