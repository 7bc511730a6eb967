/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads luksmeta. */
#include "enroll/luks1-meta.h"

#include <endian.h>
#include <errno.h>

/* Where things lie, and what they are; numbers are big-endian. */
enum {
	VERSION_AT = 8,
	CHECKSUM_AT = 12,
	SLOTS_AT = 16,
	SLOT_SIZE = 32,
	SLOT_OFFSET = LUKS1_META_UUID_SIZE,
	SLOT_LENGTH = 20,
	SLOT_CHECKSUM = 24,
	HEADER_SIZE = SLOTS_AT + LUKS1_META_SLOTS * SLOT_SIZE,
	VERSION = 1,
	BLOCK = 4096,
};

static const uint8_t magic[] = {'L', 'U', 'K', 'S', 'M', 'E', 'T', 'A'};

/* cb6e8904-81ff-40da-a84a-07ab9ab5715e */
const uint8_t luks1_meta_clevis[LUKS1_META_UUID_SIZE] = {
	0xcb, 0x6e, 0x89, 0x04, 0x81, 0xff, 0x40, 0xda,
	0xa8, 0x4a, 0x07, 0xab, 0x9a, 0xb5, 0x71, 0x5e,
};

static uint32_t read_number(const uint8_t *p)
{
	uint32_t number;

	memcpy(&number, p, sizeof(number));
	return be32toh(number);
}

/* CRC-32C, as RFC 3720 has it. */
static uint32_t checksum(const uint8_t *p, size_t n)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
	}
	return ~crc;
}

bool luks1_meta_is_clevis(const struct luks1_meta_slot *slot)
{
	return slot->data.p && memcmp(slot->uuid, luks1_meta_clevis, sizeof(slot->uuid)) == 0;
}

static bool overlaps(const struct luks1_meta *meta, struct ref data)
{
	for (size_t i = 0; i < LUKS1_META_SLOTS; i++) {
		struct ref other = meta->slots[i].data;

		if (other.p && data.p < other.p + other.n && other.p < data.p + data.n)
			return true;
	}
	return false;
}

static int read_slot(struct ref bytes, unsigned i, const struct log *log, struct luks1_meta *meta)
{
	static const uint8_t unused[LUKS1_META_UUID_SIZE];
	const uint8_t *slot = bytes.p + SLOTS_AT + (size_t)i * SLOT_SIZE;
	size_t offset = read_number(slot + SLOT_OFFSET), length = read_number(slot + SLOT_LENGTH);
	struct ref data;

	if (memcmp(slot, unused, sizeof(unused)) == 0)
		return 0;
	if (offset < HEADER_SIZE)
		return log_err(log, -EBADMSG, "what luksmeta has for keyslot %u is damaged", i);
	if (offset > bytes.n || length > bytes.n - offset)
		return log_err(
			log, -EBADMSG,
			"what luksmeta has for keyslot %u reaches into the data of the volume, "
			"of which it may have overwritten some",
			i);
	data = (struct ref){bytes.p + offset, length};
	if (overlaps(meta, data) || checksum(data.p, data.n) != read_number(slot + SLOT_CHECKSUM))
		return log_err(log, -EBADMSG, "what luksmeta has for keyslot %u is damaged", i);

	memcpy(meta->slots[i].uuid, slot, sizeof(meta->slots[i].uuid));
	meta->slots[i].data = data;
	return 0;
}

int luks1_meta_read(struct ref bytes, const struct log *log, struct luks1_meta *ret)
{
	struct luks1_meta meta = {0};
	uint8_t header[HEADER_SIZE];

	if (bytes.n < HEADER_SIZE || memcmp(bytes.p, magic, sizeof(magic)) != 0) {
		*ret = meta;
		return 0;
	}
	if (read_number(bytes.p + VERSION_AT) != VERSION)
		return log_err(log, -EOPNOTSUPP, "luksmeta has a version that is not known here");

	memcpy(header, bytes.p, sizeof(header));
	memset(header + CHECKSUM_AT, 0, sizeof(uint32_t));
	if (checksum(header, sizeof(header)) != read_number(bytes.p + CHECKSUM_AT))
		return log_err(log, -EBADMSG, "luksmeta's header is damaged");

	meta.there = true;
	for (unsigned i = 0; i < LUKS1_META_SLOTS; i++) {
		int r = read_slot(bytes, i, log, &meta);

		if (r < 0)
			return r;
	}
	*ret = meta;
	return 0;
}

static void write_number(uint8_t *p, size_t number)
{
	uint32_t big = htobe32((uint32_t)number);

	memcpy(p, &big, sizeof(big));
}

static void seal(struct buf *bytes)
{
	write_number(bytes->p + CHECKSUM_AT, 0);
	write_number(bytes->p + CHECKSUM_AT, checksum(bytes->p, HEADER_SIZE));
}

int luks1_meta_init(struct buf *bytes)
{
	if (bytes->n < BLOCK)
		return -ENOSPC;
	memset(bytes->p, 0, HEADER_SIZE);
	memcpy(bytes->p, magic, sizeof(magic));
	write_number(bytes->p + VERSION_AT, VERSION);
	seal(bytes);
	return 0;
}

int luks1_meta_put(struct buf *bytes, const struct luks1_meta *meta, unsigned slot,
		   const uint8_t uuid[LUKS1_META_UUID_SIZE], struct ref data, size_t *ret)
{
	size_t size = (data.n + BLOCK - 1) / BLOCK * BLOCK, at = BLOCK;
	uint8_t *entry = bytes->p + SLOTS_AT + (size_t)slot * SLOT_SIZE;

	while (at <= bytes->n && size <= bytes->n - at &&
	       overlaps(meta, (struct ref){bytes->p + at, size}))
		at += BLOCK;
	if (at > bytes->n || size > bytes->n - at)
		return -ENOSPC;

	memset(bytes->p + at, 0, size);
	memcpy(bytes->p + at, data.p, data.n);
	memcpy(entry, uuid, LUKS1_META_UUID_SIZE);
	write_number(entry + SLOT_OFFSET, at);
	write_number(entry + SLOT_LENGTH, data.n);
	write_number(entry + SLOT_CHECKSUM, checksum(data.p, data.n));
	seal(bytes);
	*ret = at;
	return 0;
}

void luks1_meta_give(struct buf *bytes, unsigned slot, const uint8_t uuid[LUKS1_META_UUID_SIZE])
{
	memcpy(bytes->p + SLOTS_AT + (size_t)slot * SLOT_SIZE, uuid, LUKS1_META_UUID_SIZE);
	seal(bytes);
}

void luks1_meta_drop(struct buf *bytes, unsigned slot)
{
	memset(bytes->p + SLOTS_AT + (size_t)slot * SLOT_SIZE, 0, SLOT_SIZE);
	seal(bytes);
}
