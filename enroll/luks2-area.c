/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes copies of a header's metadata. */
#include "enroll/luks2-area.h"

#include "crypto/hash.h"
#include "crypto/js.h"

#include <endian.h>
#include <errno.h>
#include <unistd.h>

enum {
	SIZE_MAX_BYTES = 4 * 1024 * 1024,

	/* where things lie in a copy */
	SIZE = 8,
	NUMBER = 16,
	ALGORITHM = 72,
	ALGORITHM_SIZE = 32,
	CHECKSUM = 448,
	CHECKSUM_ROOM = 64,
	SHA256_SIZE = 32,
};

static const uint8_t magic[] = {'L', 'U', 'K', 'S', 0xba, 0xbe, 0, 2};

static uint64_t read_number(const uint8_t *p)
{
	uint64_t number;

	memcpy(&number, p, sizeof(number));
	return be64toh(number);
}

size_t area_size(int fd)
{
	uint8_t start[NUMBER];
	uint64_t size;

	if (pread(fd, start, sizeof(start), 0) != sizeof(start) ||
	    memcmp(start, magic, sizeof(magic)) != 0)
		return 0;
	size = read_number(start + SIZE);
	return size > AREA_BINARY && size <= SIZE_MAX_BYTES ? (size_t)size : 0;
}

int area_read(int fd, uint64_t at, size_t size, struct buf *ret)
{
	CLEANUP(buf_done) struct buf area = {0};
	int r;

	r = buf_init(&area, size);
	if (r < 0)
		return r;
	if (pread(fd, area.p, size, (off_t)at) != (ssize_t)size)
		return -EIO;
	area.n = size;
	*ret = TAKE_STRUCT(area);
	return 0;
}

static int make_checksum(const struct buf *area, uint8_t ret[HASH_SIZE_MAX])
{
	static const uint8_t zeros[CHECKSUM_ROOM];
	const struct ref parts[] = {
		{area->p, CHECKSUM},
		{zeros, sizeof(zeros)},
		{area->p + CHECKSUM + CHECKSUM_ROOM, area->n - CHECKSUM - CHECKSUM_ROOM},
	};

	if (strncmp((const char *)area->p + ALGORITHM, "sha256", ALGORITHM_SIZE) != 0)
		return -EOPNOTSUPP;
	return hash_digest("SHA256", parts, ARRAY_SIZE(parts), ret);
}

bool area_ok(const struct buf *area)
{
	uint8_t checksum[HASH_SIZE_MAX];

	return make_checksum(area, checksum) == 0 &&
	       memcmp(area->p + CHECKSUM, checksum, SHA256_SIZE) == 0;
}

uint64_t area_number(const struct buf *area)
{
	return read_number(area->p + NUMBER);
}

int area_json(const struct buf *area, json_t **ret)
{
	const char *text = (const char *)area->p + AREA_BINARY;
	size_t room = area->n - AREA_BINARY;
	json_t *json;

	if (strnlen(text, room) == room)
		return -EBADMSG;
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!json)
		return -EBADMSG;
	*ret = json;
	return 0;
}

int area_set(struct buf *area, const json_t *json)
{
	CLEANUP(free_text) char *text = js_text(json, JSON_COMPACT);
	uint64_t number = htobe64(area_number(area) + 1);
	uint8_t checksum[HASH_SIZE_MAX];
	int r;

	if (!text)
		return -ENOMEM;
	if (strlen(text) >= area->n - AREA_BINARY)
		return -ENOSPC;

	memcpy(area->p + NUMBER, &number, sizeof(number));
	memset(area->p + AREA_BINARY, 0, area->n - AREA_BINARY);
	memcpy(area->p + AREA_BINARY, text, strlen(text));
	r = make_checksum(area, checksum);
	if (r < 0)
		return r;
	memset(area->p + CHECKSUM, 0, CHECKSUM_ROOM);
	memcpy(area->p + CHECKSUM, checksum, SHA256_SIZE);
	return 0;
}

int area_void_first(int fd)
{
	static const uint8_t zeros[CHECKSUM_ROOM];

	if (pwrite(fd, zeros, sizeof(zeros), CHECKSUM) != sizeof(zeros) || fsync(fd) < 0)
		return -EIO;
	return 0;
}
