/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that runs out at each allocation in turn, in our code or a library's, and a random generator that does
 * not work: functions return what their headers say, and nothing else, and leave their results alone.
 */
#pragma once

#include "crypto/jwk.h"
#include "tests/unit/lines.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/rand.h>

#define EXPORT __attribute__((visibility("default")))

/* --- memory --- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static bool unlimited
	__attribute__((unused)); /* while something is prepared that is not what is tried */

#ifndef __SANITIZE_ADDRESS__
static size_t allocations, fails_at; /* counted from 1; 0: none fails */

static bool runs_out(void)
{
	return !unlimited && ++allocations == fails_at;
}

EXPORT void *malloc(size_t size)
{
	return runs_out() ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t n, size_t size)
{
	return runs_out() ? NULL : __libc_calloc(n, size);
}

EXPORT void *realloc(void *p, size_t size)
{
	return runs_out() ? NULL : __libc_realloc(p, size);
}
#endif

/* --- randomness --- */

static bool random_fails;

EXPORT int RAND_bytes(unsigned char *p, int n)
{
	return random_fails ? 0 : RAND_bytes_ex(NULL, p, (size_t)n, 0);
}

EXPORT int RAND_priv_bytes(unsigned char *p, int n)
{
	return random_fails ? 0 : RAND_priv_bytes_ex(NULL, p, (size_t)n, 0);
}

EXPORT int BN_priv_rand_range(BIGNUM *ret, const BIGNUM *range)
{
	return random_fails ? 0 : BN_priv_rand_range_ex(ret, range, 0, NULL);
}

/* --- what is tried --- */

static void no_line(void *to, enum log_level level, const char *line)
{
	(void)to;
	(void)level;
	(void)line;
}

static const struct log quiet = {.sink = no_line};

/*
 * A function; whether its header says that it may lack randomness; whether a library may have refused what it had
 * no memory for.
 */
struct scarce {
	const char *name;
	int (*run)(void);
	bool randomness, vague;
};

#define FOR_BUF(name, call)                                \
	static int name(void)                              \
	{                                                  \
		CLEANUP(buf_done) struct buf ret = {0};    \
		int r = call;                              \
                                                           \
		assert_true(r == 0 || (!ret.p && !ret.n)); \
		return r;                                  \
	}

#define FOR_JSON(name, call)                     \
	static int name(void)                    \
	{                                        \
		CLEANUP_JSON json_t *ret = NULL; \
		int r = call;                    \
                                                 \
		assert_true(r == 0 || !ret);     \
		return r;                        \
	}

#define FOR_TEXT(name, call)                 \
	static int name(void)                \
	{                                    \
		char *ret = NULL;            \
		int r = call;                \
                                             \
		assert_true(r == 0 || !ret); \
		free(ret);                   \
		return r;                    \
	}

#define FOR_JWK(name, call)                                      \
	static int name(void)                                    \
	{                                                        \
		CLEANUP(jwk_done) struct jwk ret = {0};          \
		int r = call;                                    \
                                                                 \
		assert_true(r == 0 || (!ret.curve && !ret.k.p)); \
		return r;                                        \
	}

#ifndef __SANITIZE_ADDRESS__
/* What it returns where its n-th allocation fails; 0 where that was done without. */
static int without(const struct scarce *function, size_t n)
{
	int r;

	fails_at = n;
	allocations = 0;
	r = function->run();
	fails_at = 0;
	return r;
}

/*
 * At most `most` of its allocations, spread over all of them. `is_refusal` knows what the vague functions may return
 * apart from -ENOMEM.
 */
static void assert_without_memory(const struct scarce *function, size_t most,
				  bool (*is_refusal)(int r))
{
	size_t all, told = 0;

	/* What libraries keep for good is there after the first time. */
	expect(function->name, function->run(), 0);
	expect(function->name, without(function, 0), 0);
	all = allocations;
	for (size_t n = 1; n <= all; n += 1 + all / most) {
		int r = without(function, n);

		if (r != 0 && r != -ENOMEM && !(function->vague && is_refusal(r)) &&
		    !(r == -EIO && function->randomness))
			fail_msg("%s: allocation %zu of %zu fails: returned %d", function->name, n,
				 all, r);
		told += r == -ENOMEM;
	}
	if (told == 0)
		fail_msg("%s: never -ENOMEM in %zu allocations", function->name, all);
}
#endif

static void assert_without_randomness(const struct scarce *function)
{
	int r;

	random_fails = true;
	r = function->run();
	random_fails = false;
	if (function->randomness)
		expect(function->name, r, -EIO);
	expect(function->name, function->run(), 0);
}
