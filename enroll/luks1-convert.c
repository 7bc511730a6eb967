/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Converts LUKS1 to LUKS2. */
#include "enroll/luks1-convert.h"

#include "enroll/luks2-area.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libcryptsetup.h>

enum { COPY = LUKS2_HEADERS / 2, CHUNK = 1024 * 1024, BLOCK = 4096 };

/* A header in memory. */
struct memory {
	struct luks luks;
	char path[sizeof("/proc/self/fd/") + 16];
};

static void memory_freep(struct memory **memory)
{
	if (!*memory)
		return;
	crypt_free((*memory)->luks.cd);
	if ((*memory)->luks.fd >= 0)
		(void)close((*memory)->luks.fd);
	free(*memory);
}

void luks1_conversion_done(struct luks1_conversion *conversion)
{
	buf_done(&conversion->metadata);
	*conversion = (struct luks1_conversion){0};
}

/* Has libcryptsetup load what lies there as this type. */
static int memory_load(struct memory *memory, const char *type)
{
	int r;

	crypt_free(memory->luks.cd);
	memory->luks.cd = NULL;
	r = crypt_init(&memory->luks.cd, memory->path);
	if (r < 0)
		return r;
	crypt_set_log_callback(memory->luks.cd, luks_keep_log, &memory->luks);
	return crypt_load(memory->luks.cd, type, NULL);
}

/* Of the usual layout, for which alone libcryptsetup converts, and without key material and luksmeta. */
static int memory_make(const struct luks *from, const struct luks1_map *map, struct memory *memory)
{
	uint8_t header[LUKS1_HEADER_SIZE];
	uint64_t size = luks1_usual_layout(map, header);

	memory->luks.name = from->name;
	memory->luks.log = from->log;
	memory->luks.fd = memfd_create("cotter-header", MFD_CLOEXEC);
	if (memory->luks.fd < 0)
		return -errno;
	(void)snprintf(memory->path, sizeof(memory->path), "/proc/self/fd/%d", memory->luks.fd);
	if (ftruncate(memory->luks.fd, (off_t)(size > map->data ? size : map->data) + CHUNK) < 0 ||
	    pwrite(memory->luks.fd, header, sizeof(header), 0) != sizeof(header))
		return -EIO;
	return memory_load(memory, CRYPT_LUKS1);
}

/* libcryptsetup's JSON has 64-bit numbers as strings. */
static int set_number(json_t *object, const char *name, uint64_t number)
{
	return object && json_object_set_new(object, name,
					     json_sprintf("%llu", (unsigned long long)number)) == 0
		       ? 0
		       : -ENOMEM;
}

/* Everything where it lies on the disk. */
static int lay_out(json_t *json, const struct luks1_map *map, const json_t *tokens)
{
	json_t *keyslots = json_object_get(json, "keyslots");
	json_t *segment = json_object_get(json_object_get(json, "segments"), "0");
	int r;

	r = set_number(segment, "offset", map->data);
	if (r == 0)
		r = set_number(json_object_get(json, "config"), "keyslots_size",
			       (map->data - LUKS2_HEADERS) / BLOCK * BLOCK);
	for (int i = 0; r == 0 && i < LUKS1_KEYSLOTS; i++) {
		char name[2] = {(char)('0' + i), '\0'};
		json_t *area = json_object_get(json_object_get(keyslots, name), "area");

		if (!map->slots[i].active)
			continue;
		r = set_number(area, "offset", map->slots[i].at);
		if (r == 0)
			r = set_number(area, "size", map->slot_size);
	}
	if (r == 0 && json_object_set(json, "tokens", (json_t *)(uintptr_t)tokens) != 0)
		r = -ENOMEM;
	return r;
}

static int lay_out_copy(const struct memory *memory, uint64_t at, const struct luks1_map *map,
			const json_t *tokens)
{
	CLEANUP_JSON json_t *json = NULL;
	CLEANUP(buf_done) struct buf area = {0};
	int r;

	r = area_read(memory->luks.fd, at, COPY, &area);
	if (r == 0)
		r = area_json(&area, &json);
	if (r == 0)
		r = lay_out(json, map, tokens);
	if (r == 0)
		r = area_set(&area, json);
	if (r == 0 && pwrite(memory->luks.fd, area.p, area.n, (off_t)at) != (ssize_t)area.n)
		r = -EIO;
	return r;
}

/* As libcryptsetup reads it: the same volume, and each keyslot where it is. */
static int check(struct memory *memory, const struct luks *luks, const struct luks1_map *map)
{
	struct crypt_device *cd;
	uint64_t at, length;
	int r;

	r = memory_load(memory, CRYPT_LUKS2);
	if (r < 0)
		return r;
	cd = memory->luks.cd;
	if (strcmp(crypt_get_uuid(cd), crypt_get_uuid(luks->cd)) != 0 ||
	    strcmp(crypt_get_cipher(cd), crypt_get_cipher(luks->cd)) != 0 ||
	    strcmp(crypt_get_cipher_mode(cd), crypt_get_cipher_mode(luks->cd)) != 0 ||
	    crypt_get_volume_key_size(cd) != crypt_get_volume_key_size(luks->cd) ||
	    crypt_get_data_offset(cd) * LUKS1_SECTOR != map->data)
		return -EIO;
	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++) {
		bool active = i < LUKS1_KEYSLOTS && map->slots[i].active;

		if (active != (luks_keyslot(&memory->luks, i) == LUKS_KEYSLOT_ACTIVE))
			return -EIO;
		if (active &&
		    (crypt_keyslot_area(cd, (int)i, &at, &length) < 0 || at != map->slots[i].at))
			return -EIO;
	}
	return 0;
}

static int refuse(const struct luks *luks, const struct memory *memory, int r)
{
	if (r == -ENOSPC)
		return log_err(luks->log, r,
			       "what luksmeta holds of %s is too much for a LUKS2 header; remove a "
			       "binding with clevis luks unbind",
			       luks->name);
	return log_err(luks->log, r == -ENOMEM ? r : -EIO, "%s could not be converted: %s",
		       luks->name, luks_cause(&memory->luks, r));
}

/* Both copies, for keyslots as the map has them. */
static int make_metadata(const struct luks *luks, const struct luks1_map *map, const json_t *tokens,
			 struct buf *ret)
{
	CLEANUP(memory_freep) struct memory *memory = calloc(1, sizeof(*memory));
	int r;

	if (!memory)
		return -ENOMEM;
	memory->luks.fd = -1;
	r = memory_make(luks, map, memory);
	if (r == 0)
		r = crypt_convert(memory->luks.cd, CRYPT_LUKS2, NULL);
	if (r == 0)
		r = lay_out_copy(memory, 0, map, tokens);
	if (r == 0)
		r = lay_out_copy(memory, COPY, map, tokens);
	if (r == 0)
		r = check(memory, luks, map);
	if (r == 0)
		r = area_read(memory->luks.fd, 0, LUKS2_HEADERS, ret);
	return r < 0 ? refuse(luks, memory, r) : 0;
}

int luks1_convert_prepare(struct luks *luks, const struct luks1_map *before, const json_t *tokens,
			  struct luks1_conversion *ret)
{
	CLEANUP(buf_done) struct buf metadata = {0};
	struct luks1_map map = *before;
	struct luks1_move move;
	int r;

	r = luks1_plan(luks, before, &move);
	if (r == 0 && move.from != LUKS1_NO_MOVE) {
		luks1_set_place(&map, move.from, before->slots[move.to].at);
		luks1_set_place(&map, move.to, before->slots[move.from].at);
	}
	if (r == 0)
		r = make_metadata(luks, &map, tokens, &metadata);
	if (r < 0)
		return r;

	ret->map = map;
	ret->move = move;
	ret->metadata = TAKE_STRUCT(metadata);
	return 0;
}

static int copy_material(int fd, uint64_t from, uint64_t to, uint64_t size)
{
	CLEANUP(buf_done) struct buf chunk = {0};
	int r;

	r = buf_init(&chunk, CHUNK);
	for (uint64_t at = 0; r == 0 && at < size; at += CHUNK) {
		size_t n = size - at < CHUNK ? (size_t)(size - at) : CHUNK;

		if (pread(fd, chunk.p, n, (off_t)(from + at)) != (ssize_t)n ||
		    pwrite(fd, chunk.p, n, (off_t)(to + at)) != (ssize_t)n)
			r = -EIO;
	}
	return r;
}

/* Bytes are written whole and have reached the disk before the next are. */
static int put(int fd, const void *p, size_t n, uint64_t at)
{
	return pwrite(fd, p, n, (off_t)at) != (ssize_t)n || fsync(fd) < 0 ? -EIO : 0;
}

/* Gets the keyslot out of the way; the volume is LUKS1 all the while. */
static int move(int fd, const struct luks1_conversion *conversion)
{
	const struct luks1_map *map = &conversion->map;
	uint64_t from, to;
	int r;

	if (conversion->move.from == LUKS1_NO_MOVE)
		return 0;
	/* Each has the other's place in this map. */
	from = map->slots[conversion->move.to].at;
	to = map->slots[conversion->move.from].at;
	r = copy_material(fd, from, to, map->slot_size);
	if (r == 0 && fsync(fd) < 0)
		r = -EIO;
	return r < 0 ? r : put(fd, map->header, sizeof(map->header), 0);
}

static int overwrite(int fd, uint64_t at, uint64_t end)
{
	CLEANUP(buf_done) struct buf noise = {0};
	int r;

	r = at < end ? buf_random(&noise, CHUNK) : 0;
	for (; r == 0 && at < end; at += CHUNK) {
		size_t n = end - at < CHUNK ? (size_t)(end - at) : CHUNK;

		if (pwrite(fd, noise.p, n, (off_t)at) != (ssize_t)n)
			r = -EIO;
	}
	return r == 0 && fsync(fd) < 0 ? -EIO : r;
}

/* What the conversion left behind in the keyslots' area, which no keyslot has. */
static int clean(int fd, const struct luks1_conversion *conversion)
{
	const struct luks1_map *map = &conversion->map;
	uint64_t moved = conversion->move.to == LUKS1_NO_MOVE
				 ? 0
				 : map->slots[conversion->move.to].at + map->slot_size;
	int r;

	r = overwrite(fd, LUKS2_HEADERS, moved);
	return r < 0 ? r : overwrite(fd, map->keyslots_end, map->data);
}

static int place(int fd, const struct luks1_map *before, const struct luks1_conversion *conversion)
{
	const uint8_t *metadata = conversion->metadata.p;
	uint8_t now[LUKS1_HEADER_SIZE];
	int r;

	if (pread(fd, now, sizeof(now), 0) != sizeof(now))
		return -EIO;
	if (memcmp(now, before->header, sizeof(now)) != 0)
		return -ESTALE;

	r = move(fd, conversion);
	if (r == 0)
		r = put(fd, metadata + COPY, COPY, COPY);
	if (r == 0)
		r = put(fd, metadata + BLOCK, COPY - BLOCK, BLOCK);
	if (r == 0)
		r = put(fd, metadata, BLOCK, 0);
	return r < 0 ? r : clean(fd, conversion);
}

int luks1_convert_write(struct luks *luks, const struct luks1_map *before,
			const struct luks1_conversion *conversion)
{
	int r;

	(void)flock(luks->fd, LOCK_EX);
	r = place(luks->fd, before, conversion);
	(void)flock(luks->fd, LOCK_UN);
	if (r == -ESTALE)
		return log_err(luks->log, r,
			       "another program wrote the header of %s meanwhile; run this again",
			       luks->name);
	if (r < 0)
		return log_err(
			luks->log, r,
			"%s could not be written to the end; it is whole, as LUKS1 or LUKS2, "
			"and opens by what opened it; run this again once it can be written",
			luks->name);
	return 0;
}
