/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base64url without padding (RFC 4648 section 5, RFC 7515 appendix C), strict, constant in time. */
#pragma once

#include "crypto/buf.h"

/* Characters that n bytes take, without a NUL. */
static inline size_t b64_encoded_len(size_t n)
{
	return n / 3 * 4 + (n % 3 * 8 + 5) / 6;
}

/* Appends the text of `src` to ret. Errors: -E2BIG where it does not fit. */
MUST int b64_encode(struct ref src, struct buf *ret);

/*
 * Makes a new buffer holding the bytes of `text`. Padding, white space, the standard alphabet's
 * '+' and '/', and trailing bits that are not zero are refused. Neither branches nor table look-ups
 * depend on the characters. Errors: -EBADMSG, -ENOMEM.
 */
MUST int b64_decode(struct ref text, struct buf *ret);
