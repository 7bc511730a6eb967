/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One of the two copies of its metadata that a LUKS2 header keeps, byte for byte: binary header, JSON, and a
 * checksum over both (LUKS2 On-Disk Format Specification 2.1). Of two good copies that with the higher
 * sequence number counts.
 */
#pragma once

#include "crypto/buf.h"

#include <jansson.h>

/* Bytes before the JSON. */
enum { AREA_BINARY = 4096 };

/* The size of a copy as the header at the start of `fd` says it; 0 where that is none of LUKS2's. */
size_t area_size(int fd);

/* Reads the copy of `size` bytes at `at`, to a new buffer. Errors: -EIO, -ENOMEM. */
MUST int area_read(int fd, uint64_t at, size_t size, struct buf *ret);

/* Whether the checksum is right. */
bool area_ok(const struct buf *area);

uint64_t area_number(const struct buf *area);

/* Its JSON, a new value. Errors: -EBADMSG. */
MUST int area_json(const struct buf *area, json_t **ret);

/* Gives it this JSON, the next sequence number and the checksum. Errors: -ENOSPC, -EOPNOTSUPP (another checksum than SHA-256), -ENOMEM. */
MUST int area_set(struct buf *area, const json_t *json);

/* Overwrites the checksum of the first copy of `fd`, so that the second counts. Errors: -EIO. */
MUST int area_void_first(int fd);
