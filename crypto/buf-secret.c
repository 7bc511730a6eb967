/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What buffers want of OpenSSL where they hold secrets; apart, so that programs without secrets load none. */
#include "crypto/buf.h"

#include <errno.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

int buf_random(struct buf *b, size_t n)
{
	int r;

	r = buf_init(b, n);
	if (r < 0)
		return r;
	if (RAND_priv_bytes(b->p, (int)n) != 1) {
		buf_done(b);
		return -EIO;
	}

	b->n = n;
	return 0;
}

bool ref_equal(struct ref a, struct ref b)
{
	return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}
