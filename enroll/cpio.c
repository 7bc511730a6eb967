/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A header is 110 characters, its numbers 8 hexadecimal digits each; names and data end at multiples of 4. */
#include "enroll/cpio.h"

#include <errno.h>

enum { MAGIC = 6, DIGITS = 8, FIELDS = 13, HEADER = MAGIC + FIELDS * DIGITS };

enum field { FIELD_MODE = 1, FIELD_SIZE = 6, FIELD_NAME_SIZE = 11 };

static const char end_name[] = "TRAILER!!!";

bool cpio_begins(const uint8_t magic[6])
{
	return memcmp(magic, "070701", MAGIC) == 0 || memcmp(magic, "070702", MAGIC) == 0;
}

static int read_all(FILE *from, void *p, size_t n)
{
	if (fread(p, 1, n, from) == n)
		return 0;
	return ferror(from) ? -EIO : -ENODATA;
}

static int skip(FILE *from, uint64_t n)
{
	uint8_t scratch[2048];

	while (n > 0) {
		size_t piece = n < sizeof(scratch) ? (size_t)n : sizeof(scratch);
		int r = read_all(from, scratch, piece);

		if (r < 0)
			return r;
		n -= piece;
	}
	return 0;
}

static size_t padding(uint64_t n)
{
	return (size_t)(-n & 3);
}

static int read_field(const uint8_t header[HEADER], enum field field, uint32_t *ret)
{
	const uint8_t *digit = header + MAGIC + (size_t)field * DIGITS;
	uint32_t n = 0;

	for (size_t i = 0; i < DIGITS; i++) {
		uint8_t c = digit[i];
		uint32_t value = c >= '0' && c <= '9'   ? c - (uint32_t)'0'
				 : c >= 'a' && c <= 'f' ? c - (uint32_t)'a' + 10
				 : c >= 'A' && c <= 'F' ? c - (uint32_t)'A' + 10
							: UINT32_MAX;

		if (value == UINT32_MAX)
			return -EBADMSG;
		n = n << 4 | value;
	}
	*ret = n;
	return 0;
}

int cpio_next(struct cpio *cpio)
{
	uint8_t header[HEADER] = "070701";
	size_t known = cpio->begun ? MAGIC : 0;
	uint32_t mode, size, name_size;
	int r;

	r = skip(cpio->from, cpio->size + cpio->pad);
	cpio->size = cpio->pad = 0;
	cpio->begun = false;
	if (r == 0)
		r = read_all(cpio->from, header + known, sizeof(header) - known);
	if (r < 0)
		return r;

	if (!cpio_begins(header) || read_field(header, FIELD_MODE, &mode) < 0 ||
	    read_field(header, FIELD_SIZE, &size) < 0 ||
	    read_field(header, FIELD_NAME_SIZE, &name_size) < 0 || name_size == 0 ||
	    name_size > CPIO_NAME_MAX)
		return -EBADMSG;
	r = read_all(cpio->from, cpio->name, name_size);
	if (r == 0)
		r = skip(cpio->from, padding(HEADER + name_size));
	if (r < 0)
		return r;
	if (memchr(cpio->name, '\0', name_size) != cpio->name + name_size - 1)
		return -EBADMSG;

	cpio->mode = mode;
	cpio->size = size;
	cpio->pad = padding(size);
	return strcmp(cpio->name, end_name) != 0;
}

int cpio_data(struct cpio *cpio, size_t max, struct buf *ret)
{
	CLEANUP(buf_done) struct buf data = {0};
	int r;

	if (cpio->size > max)
		return -E2BIG;
	r = buf_init(&data, (size_t)cpio->size + 1);
	if (r == 0)
		r = read_all(cpio->from, data.p, (size_t)cpio->size);
	if (r < 0)
		return r;

	data.n = (size_t)cpio->size;
	data.p[data.n] = '\0';
	cpio->size = 0;
	*ret = TAKE_STRUCT(data);
	return 0;
}
