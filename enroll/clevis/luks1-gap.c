/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes luksmeta on the disk. */
#include "enroll/clevis/luks1-gap.h"

#include "enroll/luks2-area.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <libcryptsetup.h>

/* A larger gap than luksmeta fills by itself belongs to nobody. */
enum { KEYSLOTS = 8, SECTOR = 512, BLOCK = 4096, SIZE_MAX_BYTES = 16 * 1024 * 1024 };

void gap_done(struct gap *gap)
{
	buf_done(&gap->bytes);
	*gap = (struct gap){0};
}

static void keep_why(void *to, enum log_level level, const char *line)
{
	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(to, LOG_LINE_MAX, "%s", line);
}

/* Where it is; 0 where there is none. */
static size_t find(const struct luks *luks, uint64_t *ret_at)
{
	uint64_t data = crypt_get_data_offset(luks->cd) * SECTOR, end = 0, at, length;

	for (int i = 0; i < KEYSLOTS; i++) {
		if (crypt_keyslot_area(luks->cd, i, &at, &length) < 0)
			return 0;
		at = (at + length + BLOCK - 1) / BLOCK * BLOCK;
		end = at > end ? at : end;
	}
	*ret_at = end;
	if (end >= data)
		return 0;
	data = (data - end) / BLOCK * BLOCK;
	return data > SIZE_MAX_BYTES ? SIZE_MAX_BYTES : (size_t)data;
}

int gap_read(const struct luks *luks, struct gap *ret)
{
	CLEANUP(gap_done) struct gap gap = {0};
	char why[LOG_LINE_MAX] = "";
	const struct log log = {.sink = keep_why, .to = why};
	size_t size = find(luks, &gap.at);
	int r;

	r = size == 0 ? 0 : area_read(luks->fd, gap.at, size, &gap.bytes);
	if (r == 0)
		r = luks1_meta_read(buf_ref(&gap.bytes), &log, &gap.meta);
	if (r < 0 && why[0])
		return log_err(luks->log, -EBADMSG,
			       "%s: %s; nothing was changed; luksmeta nuke removes all of it",
			       luks->name, why);
	if (r < 0)
		return log_err(luks->log, r, "what luksmeta has in %s cannot be read: %s",
			       luks->name, strerror(-r));
	*ret = TAKE_STRUCT(gap);
	return 0;
}

static int put(const struct luks *luks, const struct gap *gap, size_t at, size_t n)
{
	if (pwrite(luks->fd, gap->bytes.p + at, n, (off_t)(gap->at + at)) != (ssize_t)n ||
	    fsync(luks->fd) < 0)
		return log_err(luks->log, -EIO, "what luksmeta has in %s cannot be written",
			       luks->name);
	return 0;
}

static int no_room(const struct luks *luks)
{
	return log_err(luks->log, -ENOSPC,
		       "%s has no room between its keyslots and its data for this; unbind another "
		       "slot, or convert the volume with cotter-enroll --to-luks2",
		       luks->name);
}

int gap_init(const struct luks *luks)
{
	CLEANUP(gap_done) struct gap gap = {0};
	int r;

	r = gap_read(luks, &gap);
	if (r < 0)
		return r;
	if (gap.bytes.n < 2 * (size_t)BLOCK || luks1_meta_init(&gap.bytes) < 0)
		return no_room(luks);
	return put(luks, &gap, 0, LUKS1_META_HEADER);
}

int gap_save(const struct luks *luks, unsigned slot, const uint8_t uuid[LUKS1_META_UUID_SIZE],
	     const char *text)
{
	CLEANUP(gap_done) struct gap gap = {0};
	struct ref data = ref_str(text);
	size_t at;
	int r;

	r = gap_read(luks, &gap);
	if (r < 0)
		return r;
	if (luks1_meta_put(&gap.bytes, &gap.meta, slot, uuid, data, &at) < 0)
		return no_room(luks);
	r = put(luks, &gap, at, (data.n + BLOCK - 1) / BLOCK * BLOCK);
	return r < 0 ? r : put(luks, &gap, 0, LUKS1_META_HEADER);
}

int gap_give(const struct luks *luks, unsigned slot, const uint8_t uuid[LUKS1_META_UUID_SIZE])
{
	CLEANUP(gap_done) struct gap gap = {0};
	int r;

	r = gap_read(luks, &gap);
	if (r < 0)
		return r;
	luks1_meta_give(&gap.bytes, slot, uuid);
	return put(luks, &gap, 0, LUKS1_META_HEADER);
}

int gap_drop(const struct luks *luks, unsigned slot)
{
	CLEANUP(gap_done) struct gap gap = {0};
	int r;

	r = gap_read(luks, &gap);
	if (r < 0 || !gap.meta.slots[slot].data.p)
		return r;
	luks1_meta_drop(&gap.bytes, slot);
	return put(luks, &gap, 0, LUKS1_META_HEADER);
}
