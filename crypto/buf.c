/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one owned buffer type. */
#include "crypto/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int buf_init(struct buf *b, size_t cap)
{
	uint8_t *p = malloc(cap ? cap : 1);

	if (!p)
		return -ENOMEM;

	*b = (struct buf){.p = p, .cap = cap};
	return 0;
}

int buf_copy(struct buf *b, struct ref src)
{
	int r;

	r = buf_init(b, src.n);
	if (r < 0)
		return r;

	return buf_append(b, src.p, src.n);
}

int buf_append(struct buf *b, const void *p, size_t n)
{
	if (n > b->cap - b->n)
		return -E2BIG;
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	return 0;
}

int buf_append_str(struct buf *b, const char *s)
{
	return buf_append(b, s, strlen(s));
}

int buf_read(struct buf *b, int fd)
{
	ssize_t n = 1;

	while (n != 0 && b->n < b->cap) {
		n = read(fd, b->p + b->n, b->cap - b->n);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			b->n += (size_t)n;
	}
	return 0;
}

int ref_write(struct ref bytes, int fd)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			bytes = (struct ref){bytes.p + n, bytes.n - (size_t)n};
	}
	return 0;
}

bool ref_begins(struct ref text, const char *word)
{
	return text.n >= strlen(word) && memcmp(text.p, word, strlen(word)) == 0;
}

bool ref_is(struct ref text, const char *word)
{
	return text.n == strlen(word) && ref_begins(text, word);
}

void buf_done(struct buf *b)
{
	if (b->p) {
		explicit_bzero(b->p, b->cap);
		free(b->p);
	}
	*b = (struct buf){0};
}
