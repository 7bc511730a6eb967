/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What decides about secrets, with secrets that are undefined to valgrind: each branch and each address that
 * depends on one is an error to it, and is counted here. Prints for each case its name, how many bytes the
 * secret had, and the errors. Without valgrind there is nothing to see: status 77.
 */
#include "crypto/b64.h"
#include "crypto/ec.h"
#include "crypto/jwe.h"
#include "sss/shamir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/rand.h>
#include <valgrind/memcheck.h>

enum { SECRET_MAX = 1024, CEK_SIZE = JWE_CEK_SIZE };

struct fixture {
	uint8_t secret[SECRET_MAX]; /* undefined when a case runs */
	struct ref ref;
	struct jwe jwe;    /* sealed by what `secret` begins with */
	struct buf shares; /* two of two */
	struct ref prime;
	volatile size_t sink;
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "%s failed\n", what);
	exit(EXIT_FAILURE);
}

static void poison(const void *p, size_t n)
{
	(void)VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

static void unpoison(const void *p, size_t n)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(p, n);
}

/* The result is no secret: whoever calls goes on or not. */
static void must(int r)
{
	unpoison(&r, sizeof(r));
	if (r != 0)
		fail("a case");
}

/*
 * Instead of OpenSSL's, so that the polynomial of shamir_split() is undefined too. How many words it has is
 * not: that is so of all numbers of OpenSSL.
 */
__attribute__((visibility("default"))) int BN_priv_rand_range(BIGNUM *ret, const BIGNUM *range)
{
	if (BN_rand_range(ret, range) != 1)
		return 0;
	poison(*(void *const *)ret,
	       (size_t)BN_num_bytes(range)); /* its words come first in a BIGNUM */
	return 1;
}

/* --- what must not look at secrets --- */

static void encode(struct fixture *f)
{
	CLEANUP(buf_done) struct buf text = {0};

	must(buf_init(&text, b64_encoded_len(f->ref.n)));
	must(b64_encode(f->ref, &text));
}

static void decode(struct fixture *f)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	uint8_t text[SECRET_MAX];

	unpoison(f->secret, sizeof(f->secret));
	for (size_t i = 0; i < f->ref.n; i++)
		text[i] = (uint8_t) "ABCXYZabcxyz0189-_"[f->secret[i] % 18];
	text[f->ref.n - 1] = 'A';
	poison(text, f->ref.n);
	must(b64_decode((struct ref){text, f->ref.n}, &bytes));
}

static void refuse(struct fixture *f)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	uint8_t text[SECRET_MAX];
	int r;

	memset(text, '=', sizeof(text));
	poison(text, f->ref.n);
	r = b64_decode((struct ref){text, f->ref.n}, &bytes);
	unpoison(&r, sizeof(r));
	must(r < 0 ? 0 : -1);
}

static void compare(struct fixture *f, bool same)
{
	uint8_t other[SECRET_MAX];
	bool equal;

	unpoison(f->secret, sizeof(f->secret));
	memcpy(other, f->secret, f->ref.n);
	other[0] ^= same ? 0 : 1;
	poison(f->secret, sizeof(f->secret));
	equal = ref_equal(f->ref, (struct ref){other, f->ref.n});
	unpoison(&equal, sizeof(equal));
	must(equal == same ? 0 : -1);
}

static void compare_same(struct fixture *f)
{
	compare(f, true);
}

static void compare_other(struct fixture *f)
{
	compare(f, false);
}

static void split(struct fixture *f)
{
	CLEANUP(buf_done) struct buf secret = {0};
	CLEANUP(buf_done) struct buf shares = {0};

	must(shamir_split((unsigned)f->ref.n / SHAMIR_SIZE, SHAMIR_SHARES_MAX, &secret, &shares));
}

/* Two shares whose y is secret, and x is not. */
static void poison_shares(struct fixture *f)
{
	for (size_t i = 0; i < 2; i++)
		poison(f->shares.p + i * SHAMIR_SHARE_SIZE + SHAMIR_SIZE, SHAMIR_SIZE);
}

static void check_share(struct fixture *f)
{
	poison_shares(f);
	must(shamir_check(f->prime, (struct ref){f->shares.p, SHAMIR_SHARE_SIZE}, NULL, 0));
}

static void combine(struct fixture *f)
{
	CLEANUP(buf_done) struct buf secret = {0};

	poison_shares(f);
	must(shamir_combine(f->prime, 2, buf_ref(&f->shares), &secret));
}

static void open_jwe(struct fixture *f)
{
	CLEANUP(buf_done) struct buf plain = {0};

	must(jwe_open(&f->jwe, (struct ref){f->secret, CEK_SIZE}, &plain));
}

static void open_wrong(struct fixture *f)
{
	CLEANUP(buf_done) struct buf plain = {0};
	int r;

	f->jwe.tag[0] ^= 1;
	r = jwe_open(&f->jwe, (struct ref){f->secret, CEK_SIZE}, &plain);
	f->jwe.tag[0] ^= 1;
	must(r == -EBADMSG ? 0 : -1);
}

static void derive(struct fixture *f)
{
	CLEANUP(buf_done) struct buf cek = {0};

	must(jwe_derive_cek(f->jwe.hdr, f->ref, &cek));
}

static void write_jwk(struct fixture *f)
{
	CLEANUP(buf_done) struct buf jwk = {0};

	must(jwk_write_oct(f->ref, &jwk));
}

/* --- what does look at them, so that it is known to be seen --- */

static void leak_branch(struct fixture *f)
{
	for (size_t i = 0; i < f->ref.n; i++)
		if (f->ref.p[i] > 'Z')
			__asm__ volatile("" ::: "memory"); /* no compiler does without the branch */
}

static void leak_table(struct fixture *f)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t sum = 0;

	for (size_t i = 0; i < f->ref.n; i++)
		sum += (size_t)((const volatile char *)alphabet)[f->ref.p[i] & 63];
	unpoison(&sum, sizeof(sum));
	f->sink = sum;
}

static void leak_compare(struct fixture *f)
{
	uint8_t other[SECRET_MAX];
	size_t i;

	unpoison(f->secret, sizeof(f->secret));
	memcpy(other, f->secret, f->ref.n);
	poison(f->secret, sizeof(f->secret));
	for (i = 0; i < f->ref.n && other[i] == ((const volatile uint8_t *)f->ref.p)[i]; i++)
		;
	f->sink = i;
}

static void leak_subtract(struct fixture *f)
{
	CLEANUP(BN_clear_freep) BIGNUM *a = BN_new();
	CLEANUP(BN_clear_freep) BIGNUM *p = BN_bin2bn(f->prime.p, SHAMIR_SIZE, NULL);

	if (!a || !p || BN_priv_rand_range(a, p) != 1)
		fail("a number");
	f->sink = (size_t)BN_cmp(a, p);
}

static const struct {
	const char *name;
	void (*run)(struct fixture *f);
	size_t few, many; /* bytes of the secret */
} cases[] = {
	{"b64_encode", encode, 32, 999},
	{"b64_decode", decode, 32, 1000},
	{"b64_decode-refused", refuse, 32, 1000},
	{"ref_equal-same", compare_same, 32, 1000},
	{"ref_equal-other", compare_other, 32, 1000},
	{"shamir_split", split, 2 * SHAMIR_SIZE, 8 * SHAMIR_SIZE},
	{"shamir_check", check_share, SHAMIR_SIZE, SHAMIR_SIZE},
	{"shamir_combine", combine, SHAMIR_SIZE, SHAMIR_SIZE},
	{"jwe_open", open_jwe, CEK_SIZE, CEK_SIZE},
	{"jwe_open-refused", open_wrong, CEK_SIZE, CEK_SIZE},
	{"jwe_derive_cek", derive, 32, 66},
	{"jwk_write_oct", write_jwk, 32, 64},
	{"leak-branch", leak_branch, 32, 1000},
	{"leak-table", leak_table, 32, 1000},
	{"leak-compare", leak_compare, 32, 1000},
	{"leak-number", leak_subtract, SHAMIR_SIZE, SHAMIR_SIZE},
};

static void seal_jwe(struct fixture *f)
{
	CLEANUP_JSON json_t *hdr = json_pack("{ssss}", "alg", "dir", "enc", "A256GCM");

	if (!hdr || jwe_seal(hdr, (struct ref){f->secret, CEK_SIZE},
			     ref_str("what is sealed here, more than a block"), &f->jwe) < 0)
		fail("sealing");
}

static void run_case(size_t number, size_t size)
{
	struct fixture f = {.prime = {shamir_prime, SHAMIR_SIZE}};
	CLEANUP(buf_done) struct buf secret = {0};
	unsigned before;

	if (RAND_bytes(f.secret, sizeof(f.secret)) != 1 ||
	    shamir_split(2, 2, &secret, &f.shares) < 0)
		fail("the fixture");
	unpoison(f.shares.p, f.shares.n);
	seal_jwe(&f);
	f.ref = (struct ref){f.secret, size};

	before = VALGRIND_COUNT_ERRORS;
	poison(f.secret, sizeof(f.secret));
	cases[number].run(&f);
	(void)printf("%s %zu %u\n", cases[number].name, size, VALGRIND_COUNT_ERRORS - before);
	(void)fflush(stdout);

	unpoison(f.secret, sizeof(f.secret));
	buf_done(&f.shares);
	jwe_done(&f.jwe);
}

int main(void)
{
	if (!RUNNING_ON_VALGRIND)
		return 77;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		run_case(i, cases[i].few);
		if (cases[i].many != cases[i].few)
			run_case(i, cases[i].many);
	}
	return 0;
}
