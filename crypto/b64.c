/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base64url; the sums of masks below are the usual way to avoid secret-dependent look-ups. */
#include "crypto/b64.h"

#include <errno.h>

/* 0xff.. where lo <= c <= hi, else 0. All values are below 2^8, so the sign bit tells. */
static int in_range(int c, int lo, int hi)
{
	return ~((c - lo) | (hi - c)) >> 8;
}

static char encode6(int v)
{
	int c = (in_range(v, 0, 25) & ('A' + v)) | (in_range(v, 26, 51) & ('a' + v - 26)) |
		(in_range(v, 52, 61) & ('0' + v - 52)) | (in_range(v, 62, 62) & '-') |
		(in_range(v, 63, 63) & '_');

	return (char)c;
}

/* The six bits, or -1. */
static int decode6(int c)
{
	return -1 + (in_range(c, 'A', 'Z') & (c - 'A' + 1)) +
	       (in_range(c, 'a', 'z') & (c - 'a' + 27)) + (in_range(c, '0', '9') & (c - '0' + 53)) +
	       (in_range(c, '-', '-') & 63) + (in_range(c, '_', '_') & 64);
}

int b64_encode(struct ref src, struct buf *ret)
{
	size_t len = b64_encoded_len(src.n);
	uint32_t acc = 0;
	unsigned bits = 0;
	uint8_t *out;

	if (len > ret->cap - ret->n)
		return -E2BIG;
	if (len == 0)
		return 0;

	out = ret->p + ret->n;
	for (size_t i = 0; i < src.n; i++) {
		acc = (acc << 8) | src.p[i];
		for (bits += 8; bits >= 6; bits -= 6)
			*out++ = (uint8_t)encode6((acc >> (bits - 6)) & 63);
	}
	if (bits > 0)
		*out++ = (uint8_t)encode6((acc << (6 - bits)) & 63);
	ret->n += len;
	return 0;
}

int b64_decode(struct ref text, struct buf *ret)
{
	CLEANUP(buf_done) struct buf out = {0};
	uint32_t acc = 0;
	unsigned bits = 0;
	int bad = 0, r;

	if (text.n % 4 == 1)
		return -EBADMSG;

	r = buf_init(&out, text.n / 4 * 3 + text.n % 4 * 6 / 8);
	if (r < 0)
		return r;

	for (size_t i = 0; i < text.n; i++) {
		int v = decode6(text.p[i]);

		bad |= v;
		acc = (acc << 6) | ((uint32_t)v & 63);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out.p[out.n++] = (uint8_t)(acc >> bits);
		}
	}

	if (bad < 0 || (acc & ((1u << bits) - 1)) != 0)
		return -EBADMSG;

	*ret = TAKE_STRUCT(out);
	return 0;
}
