/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shamir's Secret Sharing over a prime field, in Clevis's encoding: numbers are big-endian and as long
 * as the prime, a share is x and then y.
 */
#pragma once

#include "crypto/buf.h"

enum {
	SHAMIR_SIZE = 32, /* bytes of our prime, and of a secret and a coordinate below it */
	SHAMIR_SHARE_SIZE = 2 * SHAMIR_SIZE,
	SHAMIR_PRIME_MIN = 16, /* bytes of a prime that is read */
	SHAMIR_PRIME_MAX = 512,
	SHAMIR_SHARES_MAX = 64,
};

/* Our prime: 2^256 - 189, the largest of 256 bits, so that nearly every key is below it. */
extern const uint8_t shamir_prime[SHAMIR_SIZE];

/*
 * Makes a random secret below our prime and `n` shares of it, any `t` of which give it back. Share i
 * has x = i + 1. Both go to new buffers; the shares stand side by side, SHAMIR_SHARE_SIZE bytes each.
 * Errors: -EINVAL (not 1 <= t <= n <= SHAMIR_SHARES_MAX), -EIO (random generator), -ENOMEM.
 */
MUST int shamir_split(unsigned t, unsigned n, struct buf *ret_secret, struct buf *ret_shares);

/*
 * Whether a number can be the prime of up to SHAMIR_SHARES_MAX shares, as far as is seen at a glance:
 * its length, odd, larger than they are many. One that is no prime gives no secret.
 */
MUST bool shamir_prime_ok(struct ref prime);

/*
 * Whether a share can be combined with the `n` checked ones that stand side by side at `others`: of
 * the right length, coordinates below the prime, x neither 0 nor theirs. Errors: -EBADMSG.
 */
MUST int shamir_check(struct ref prime, struct ref share, const uint8_t *others, size_t n);

/*
 * The secret from `t` checked shares side by side, to a new buffer as long as the prime. Errors:
 * -EBADMSG (the lengths, or the number is no prime), -ENOMEM.
 */
MUST int shamir_combine(struct ref prime, unsigned t, struct ref shares, struct buf *ret);
