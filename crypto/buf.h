/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one owned buffer type: its size is fixed when it is made, and it is wiped before it is freed. */
#pragma once

#include "crypto/util.h"

#include <stdbool.h>
#include <string.h>

/* Borrowed bytes: valid as long as whoever owns them. */
struct ref {
	const uint8_t *p;
	size_t n;
};

/* Owned bytes: n used of cap. A zeroed struct is an empty buffer. */
struct buf {
	uint8_t *p;
	size_t n;
	size_t cap;
};

static inline struct ref ref_str(const char *s)
{
	return (struct ref){(const uint8_t *)s, strlen(s)};
}

static inline struct ref buf_ref(const struct buf *b)
{
	return (struct ref){b->p, b->n};
}

/* Whether the bytes are this word, or begin with it. Not for secrets. */
bool ref_is(struct ref text, const char *word);
bool ref_begins(struct ref text, const char *word);

/*
 * Makes an empty buffer that can hold cap bytes (at least one is allocated). `b` must be zeroed or
 * done; on success the caller owns it and ends it with buf_done(). Errors: -ENOMEM.
 */
MUST int buf_init(struct buf *b, size_t cap);

/* Makes a buffer holding a copy of src. Same contract as buf_init(). */
MUST int buf_copy(struct buf *b, struct ref src);

/* Makes a buffer of n random bytes, fit for secrets. Errors: -EIO (random generator), -ENOMEM. */
MUST int buf_random(struct buf *b, size_t n);

/* Appends n bytes. Errors: -E2BIG where they do not fit; the buffer is then unchanged. */
MUST int buf_append(struct buf *b, const void *p, size_t n);

/* Appends the string s without its NUL. Errors as buf_append(). */
MUST int buf_append_str(struct buf *b, const char *s);

/*
 * Appends what `fd` gives, to its end or until the buffer is full. What was read before an error stays.
 * Errors: those of read(2), but for -EINTR, after which it goes on.
 */
MUST int buf_read(struct buf *b, int fd);

/* Writes all of it to `fd`. Errors: those of write(2), but for -EINTR, after which it goes on. */
MUST int ref_write(struct ref bytes, int fd);

/* Wipes and frees; the struct is zeroed and can be used again. Takes zeroed structs too. */
void buf_done(struct buf *b);

/* Compares in time that depends on the lengths alone. */
MUST bool ref_equal(struct ref a, struct ref b);
