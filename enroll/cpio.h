/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads cpio archives in the form that the kernel unpacks ("newc"), entry by entry, from a stream. */
#pragma once

#include "crypto/buf.h"

#include <stdio.h>

enum { CPIO_NAME_MAX = 2048 };

/* A reader begins as {.from = stream}, whose next byte is an archive's first, or with `begun` its seventh. */
struct cpio {
	FILE *from;
	bool begun;    /* cpio_begins() was asked of the first entry */
	uint64_t size; /* of the entry's data, not yet read */
	size_t pad;    /* bytes behind it */
	unsigned mode; /* of the entry, as stat(2) has it */
	char name[CPIO_NAME_MAX];
};

/* Whether these 6 bytes begin an entry. */
bool cpio_begins(const uint8_t magic[6]);

/*
 * Passes over what is left of the entry before, and reads the next one's header. Returns 1 for an entry and
 * 0 at the archive's end. Errors: -EBADMSG (it is damaged), -ENODATA (it ends too early), -EIO.
 */
MUST int cpio_next(struct cpio *cpio);

/* The entry's data to a new buffer, with a NUL behind it. Errors: -E2BIG (more than `max`), and as above, -ENOMEM. */
MUST int cpio_data(struct cpio *cpio, size_t max, struct buf *ret);
