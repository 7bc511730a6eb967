/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes the standard streams. */
#include "enroll/clevis/input.h"

#include <errno.h>
#include <unistd.h>

enum { INPUT_MIN = 64 * 1024 };

/* A larger buffer with the same bytes; what they were in is wiped. */
static int grow(struct buf *b)
{
	CLEANUP(buf_done) struct buf larger = {0};
	int r;

	r = buf_init(&larger, 2 * b->cap);
	if (r == 0)
		r = buf_append(&larger, b->p, b->n);
	if (r < 0)
		return r;
	buf_done(b);
	*b = TAKE_STRUCT(larger);
	return 0;
}

int input_read(struct buf *ret)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	int r;

	r = buf_init(&bytes, INPUT_MIN);
	if (r == 0)
		r = buf_read(&bytes, STDIN_FILENO);
	while (r == 0 && bytes.n == bytes.cap) {
		r = bytes.cap >= INPUT_MAX ? -E2BIG : grow(&bytes);
		if (r == 0)
			r = buf_read(&bytes, STDIN_FILENO);
	}
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(bytes);
	return 0;
}

int output_write(struct ref bytes)
{
	return ref_write(bytes, STDOUT_FILENO);
}
