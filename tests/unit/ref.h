/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Borrowed bytes against the text that they should be. */
#pragma once

#include "crypto/buf.h"
#include "tests/unit/lines.h"

static inline void assert_ref(struct ref got, const char *want)
{
	if (got.n != strlen(want) || (got.n > 0 && memcmp(got.p, want, got.n) != 0))
		fail_msg("got \"%.*s\", want \"%s\"", (int)got.n, got.n ? (const char *)got.p : "",
			 want);
}

/* A copy on the heap without a NUL behind it, so that a sanitizer sees each byte too many. */
static inline struct ref exact_copy(const char *text, size_t n)
{
	uint8_t *p = malloc(n > 0 ? n : 1);

	assert_non_null(p);
	memcpy(p, text, n);
	return (struct ref){p, n};
}

static inline void exact_free(struct ref *copy)
{
	free((void *)(uintptr_t)copy->p);
}
