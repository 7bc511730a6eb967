/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shares: a byte for the threshold, a byte for half the prime's length above the least, the prime, and
 * shares side by side. The first byte's highest bit takes our own prime.
 */
#include "sss/shamir.h"

#include "tests/fuzz/fuzz.h"

enum { SHARES_MAX = 8 };

/* The first shares that can be combined, side by side. */
static size_t collect(struct ref prime, struct ref rest, size_t max, struct buf *ret)
{
	size_t n = 0, size = 2 * prime.n;

	CHECK(buf_init(ret, max * size) == 0);
	for (; rest.n >= size && n < max; rest.p += size, rest.n -= size) {
		int r = shamir_check(prime, (struct ref){rest.p, size}, ret->p, n);

		CHECK_RESULT(r, -EBADMSG);
		if (r < 0)
			continue;
		CHECK(memcmp(rest.p, prime.p, prime.n) < 0);
		CHECK(memcmp(rest.p + prime.n, prime.p, prime.n) < 0);
		CHECK(buf_append(ret, rest.p, size) == 0);
		n++;
	}
	/* Of another length it is none. */
	CHECK(rest.n == 0 || rest.n == size || shamir_check(prime, rest, ret->p, n) == -EBADMSG ||
	      rest.n > size);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP(buf_done) struct buf shares = {0};
	CLEANUP(buf_done) struct buf secret = {0};
	struct ref prime, rest;
	size_t size;
	int r;

	if (n < 2)
		return 0;
	size = SHAMIR_PRIME_MIN + 2 * (size_t)data[1];
	rest = (struct ref){data + 2, n - 2};
	if (data[0] & 0x80) {
		prime = (struct ref){shamir_prime, SHAMIR_SIZE};
	} else {
		prime = (struct ref){rest.p, size < rest.n ? size : rest.n};
		rest = (struct ref){rest.p + prime.n, rest.n - prime.n};
	}
	if (!shamir_prime_ok(prime))
		return 0;
	CHECK(prime.n >= SHAMIR_PRIME_MIN && prime.n <= SHAMIR_PRIME_MAX);
	n = collect(prime, rest, 1 + (size_t)data[0] % SHARES_MAX, &shares);
	if (n == 0)
		return 0;
	r = shamir_combine(prime, (unsigned)n, buf_ref(&shares), &secret);
	CHECK_RESULT(r, -EBADMSG);
	CHECK((r == 0) == (secret.p != NULL));
	if (r == 0)
		CHECK(secret.n == prime.n && memcmp(secret.p, prime.p, prime.n) < 0);
	return 0;
}
