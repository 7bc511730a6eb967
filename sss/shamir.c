/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shamir's Secret Sharing. All arithmetic on coefficients and y values is Montgomery's, which
 * OpenSSL does in constant time; only the x values, which are public, are inverted.
 */
#include "sss/shamir.h"

#include "crypto/ec.h"

#include <errno.h>

const uint8_t shamir_prime[SHAMIR_SIZE] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x43,
};

/* A prime field. Numbers in it are kept in Montgomery's form. */
struct field {
	BIGNUM *p;
	BN_MONT_CTX *mont;
	BN_CTX *ctx;
	size_t size;
};

static void field_done(struct field *f)
{
	BN_MONT_CTX_free(f->mont);
	BN_CTX_free(f->ctx);
	BN_free(f->p);
	*f = (struct field){0};
}

static int field_init(struct field *f, struct ref prime)
{
	if (!shamir_prime_ok(prime))
		return -EBADMSG;

	f->size = prime.n;
	f->p = BN_bin2bn(prime.p, (int)prime.n, NULL);
	f->mont = BN_MONT_CTX_new();
	f->ctx = BN_CTX_secure_new();
	if (!f->p || !f->mont || !f->ctx)
		return -ENOMEM;
	return BN_MONT_CTX_set(f->mont, f->p, f->ctx) == 1 ? 0 : -ENOMEM;
}

/* Any number here may be a secret one. */
static BIGNUM *number_new(void)
{
	BIGNUM *n = BN_secure_new();

	if (n)
		BN_set_flags(n, BN_FLG_CONSTTIME);
	return n;
}

/* A number of the field from its bytes. */
static int load(const struct field *f, const uint8_t *bytes, BIGNUM **ret)
{
	CLEANUP(BN_clear_freep) BIGNUM *n = number_new();

	if (!n || !BN_bin2bn(bytes, (int)f->size, n) ||
	    BN_to_montgomery(n, n, f->mont, f->ctx) != 1)
		return -ENOMEM;
	*ret = TAKE_PTR(n);
	return 0;
}

static int load_word(const struct field *f, unsigned word, BIGNUM **ret)
{
	CLEANUP(BN_clear_freep) BIGNUM *n = number_new();

	if (!n || BN_set_word(n, word) != 1 || BN_to_montgomery(n, n, f->mont, f->ctx) != 1)
		return -ENOMEM;
	*ret = TAKE_PTR(n);
	return 0;
}

static int store(const struct field *f, const BIGNUM *n, uint8_t *ret)
{
	CLEANUP(BN_clear_freep) BIGNUM *plain = number_new();

	if (!plain || BN_from_montgomery(plain, n, f->mont, f->ctx) != 1 ||
	    BN_bn2binpad(plain, ret, (int)f->size) < 0)
		return -ENOMEM;
	return 0;
}

static bool multiply(const struct field *f, BIGNUM *a, const BIGNUM *b)
{
	return BN_mod_mul_montgomery(a, a, b, f->mont, f->ctx) == 1;
}

/* y = ((c[t-1] x + c[t-2]) x + …) x + c[0] */
static int evaluate(const struct field *f, const struct buf *coefficients, unsigned x_word,
		    uint8_t *ret_y)
{
	CLEANUP(BN_clear_freep) BIGNUM *x = NULL;
	CLEANUP(BN_clear_freep) BIGNUM *y = NULL;
	int r;

	r = load_word(f, x_word, &x);
	if (r == 0)
		r = load_word(f, 0, &y);
	for (size_t at = coefficients->n; r == 0 && at > 0; at -= f->size) {
		CLEANUP(BN_clear_freep) BIGNUM *c = NULL;

		r = load(f, coefficients->p + at - f->size, &c);
		if (r == 0 && (!multiply(f, y, x) || BN_mod_add_quick(y, y, c, f->p) != 1))
			r = -ENOMEM;
	}
	return r < 0 ? r : store(f, y, ret_y);
}

/* t random numbers below the prime, the first of which is the secret. */
static int random_polynomial(const struct field *f, unsigned t, struct buf *ret)
{
	CLEANUP(buf_done) struct buf coefficients = {0};
	int r;

	r = buf_init(&coefficients, t * f->size);
	if (r < 0)
		return r;

	for (unsigned i = 0; i < t; i++) {
		CLEANUP(BN_clear_freep) BIGNUM *c = number_new();

		if (!c)
			return -ENOMEM;
		if (BN_priv_rand_range(c, f->p) != 1 ||
		    BN_bn2binpad(c, coefficients.p + coefficients.n, (int)f->size) < 0)
			return -EIO;
		coefficients.n += f->size;
	}

	*ret = TAKE_STRUCT(coefficients);
	return 0;
}

int shamir_split(unsigned t, unsigned n, struct buf *ret_secret, struct buf *ret_shares)
{
	CLEANUP_ERRORS;
	CLEANUP(field_done) struct field f = {0};
	CLEANUP(buf_done) struct buf coefficients = {0};
	CLEANUP(buf_done) struct buf shares = {0};
	CLEANUP(buf_done) struct buf secret = {0};
	int r;

	if (t < 1 || t > n || n > SHAMIR_SHARES_MAX)
		return -EINVAL;

	r = field_init(&f, (struct ref){shamir_prime, sizeof(shamir_prime)});
	if (r == 0)
		r = random_polynomial(&f, t, &coefficients);
	if (r == 0)
		r = buf_copy(&secret, (struct ref){coefficients.p, SHAMIR_SIZE});
	if (r == 0)
		r = buf_init(&shares, (size_t)n * SHAMIR_SHARE_SIZE);
	for (unsigned x = 1; r == 0 && x <= n; x++) {
		memset(shares.p + shares.n, 0, SHAMIR_SIZE);
		shares.p[shares.n + SHAMIR_SIZE - 1] = (uint8_t)x;
		r = evaluate(&f, &coefficients, x, shares.p + shares.n + SHAMIR_SIZE);
		shares.n += SHAMIR_SHARE_SIZE;
	}
	if (r < 0)
		return r;

	*ret_secret = TAKE_STRUCT(secret);
	*ret_shares = TAKE_STRUCT(shares);
	return 0;
}

/* Whether the big-endian number a is below b, in time that depends on the length alone. */
static bool below(const uint8_t *a, const uint8_t *b, size_t n)
{
	unsigned borrow = 0;

	for (size_t i = n; i-- > 0;)
		borrow = ((unsigned)a[i] - b[i] - borrow) >> 31;
	return borrow;
}

bool shamir_prime_ok(struct ref prime)
{
	uint8_t high = 0;

	if (prime.n < SHAMIR_PRIME_MIN || prime.n > SHAMIR_PRIME_MAX)
		return false;
	for (size_t i = 0; i < prime.n - 1; i++)
		high |= prime.p[i];
	return prime.p[prime.n - 1] % 2 == 1 &&
	       (high != 0 || prime.p[prime.n - 1] > SHAMIR_SHARES_MAX);
}

int shamir_check(struct ref prime, struct ref share, const uint8_t *others, size_t n)
{
	static const uint8_t zero[SHAMIR_PRIME_MAX];
	size_t size = prime.n;

	if (!shamir_prime_ok(prime) || share.n != 2 * size)
		return -EBADMSG;
	if (!below(share.p, prime.p, size) || !below(share.p + size, prime.p, size) ||
	    memcmp(share.p, zero, size) == 0)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++)
		if (memcmp(share.p, others + i * share.n, size) == 0)
			return -EBADMSG;
	return 0;
}

/* The product over j != i of x[j] / (x[j] - x[i]). */
static int lagrange(const struct field *f, BIGNUM *const *x, unsigned t, unsigned i, BIGNUM **ret)
{
	CLEANUP(BN_clear_freep) BIGNUM *numerator = NULL;
	CLEANUP(BN_clear_freep) BIGNUM *denominator = NULL;
	CLEANUP(BN_clear_freep) BIGNUM *difference = number_new();
	int r;

	if (!difference)
		return -ENOMEM;
	r = load_word(f, 1, &numerator);
	if (r == 0)
		r = load_word(f, 1, &denominator);
	for (unsigned j = 0; r == 0 && j < t; j++)
		if (j != i &&
		    (BN_mod_sub_quick(difference, x[j], x[i], f->p) != 1 ||
		     !multiply(f, numerator, x[j]) || !multiply(f, denominator, difference)))
			r = -ENOMEM;
	if (r < 0)
		return r;

	/* (bR)^-1, brought back to b^-1 R by two steps into Montgomery's form */
	if (!BN_mod_inverse(denominator, denominator, f->p, f->ctx))
		return -EBADMSG;
	if (BN_to_montgomery(denominator, denominator, f->mont, f->ctx) != 1 ||
	    BN_to_montgomery(denominator, denominator, f->mont, f->ctx) != 1 ||
	    !multiply(f, numerator, denominator))
		return -ENOMEM;

	*ret = TAKE_PTR(numerator);
	return 0;
}

static void free_numbers(BIGNUM *(*numbers)[SHAMIR_SHARES_MAX])
{
	for (size_t i = 0; i < SHAMIR_SHARES_MAX; i++)
		BN_clear_free((*numbers)[i]);
}

static int interpolate(const struct field *f, unsigned t, struct ref shares, BIGNUM **ret)
{
	CLEANUP(free_numbers) BIGNUM *x[SHAMIR_SHARES_MAX] = {0};
	CLEANUP(BN_clear_freep) BIGNUM *sum = NULL;
	int r;

	r = load_word(f, 0, &sum);
	for (unsigned i = 0; r == 0 && i < t; i++)
		r = load(f, shares.p + i * 2 * f->size, &x[i]);

	for (unsigned i = 0; r == 0 && i < t; i++) {
		CLEANUP(BN_clear_freep) BIGNUM *y = NULL;
		CLEANUP(BN_clear_freep) BIGNUM *factor = NULL;

		r = load(f, shares.p + (i * 2 + 1) * f->size, &y);
		if (r == 0)
			r = lagrange(f, x, t, i, &factor);
		if (r == 0 && (!multiply(f, y, factor) || BN_mod_add_quick(sum, sum, y, f->p) != 1))
			r = -ENOMEM;
	}
	if (r < 0)
		return r;

	*ret = TAKE_PTR(sum);
	return 0;
}

int shamir_combine(struct ref prime, unsigned t, struct ref shares, struct buf *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(field_done) struct field f = {0};
	CLEANUP(BN_clear_freep) BIGNUM *sum = NULL;
	CLEANUP(buf_done) struct buf secret = {0};
	int r;

	if (t < 1 || t > SHAMIR_SHARES_MAX || shares.n != t * 2 * prime.n)
		return -EBADMSG;

	r = field_init(&f, prime);
	if (r == 0)
		r = interpolate(&f, t, shares, &sum);
	if (r == 0)
		r = buf_init(&secret, prime.n);
	if (r == 0)
		r = store(&f, sum, secret.p);
	if (r < 0)
		return r;

	secret.n = prime.n;
	*ret = TAKE_STRUCT(secret);
	return 0;
}
