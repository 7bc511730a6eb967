/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps of a re-encryption on a header in memory. */
#include "enroll/luks-settle.h"

#include "crypto/js.h"
#include "enroll/luks2-area.h"
#include "enroll/reencrypt-finished.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libcryptsetup.h>

enum {
	CHUNK = 64 * 1024,
	START = 64, /* magic, version, size and sequence number of a header lie within */
};

/* A header in memory, with its keyslots' area, and the same volume through it. */
struct copy {
	struct luks luks;
	uint64_t metadata; /* size of each of the two copies that LUKS2 keeps of its metadata */
	uint64_t keyslots;
	uint8_t start[START]; /* of the header on disk when it was copied */
};

static void copy_done(struct copy *copy)
{
	crypt_free(copy->luks.cd);
	if (copy->luks.fd >= 0)
		(void)close(copy->luks.fd);
}

/* Writes what differs. */
static int update(int from, int to, uint64_t at, uint64_t end)
{
	CLEANUP(buf_done) struct buf new = {0};
	CLEANUP(buf_done) struct buf old = {0};
	int r;

	r = buf_init(&new, CHUNK);
	if (r == 0)
		r = buf_init(&old, CHUNK);
	while (r == 0 && at < end) {
		size_t n = end - at < CHUNK ? (size_t)(end - at) : CHUNK;

		if (pread(from, new.p, n, (off_t)at) != (ssize_t)n ||
		    pread(to, old.p, n, (off_t)at) < 0)
			return -EIO;
		if (memcmp(new.p, old.p, n) != 0 && pwrite(to, new.p, n, (off_t)at) != (ssize_t)n)
			return -EIO;
		at += n;
	}
	return r;
}

static int copy_make(struct luks *from, struct copy *copy)
{
	char path[sizeof("/proc/self/fd/") + 16];
	int r;

	*copy = (struct copy){.luks = {.fd = -1, .name = from->name, .log = from->log}};
	/* Whatever a stop left of its two copies, libcryptsetup mends first. */
	r = crypt_load(from->cd, CRYPT_LUKS2, NULL);
	if (r == 0)
		r = crypt_get_metadata_size(from->cd, &copy->metadata, &copy->keyslots);
	if (r < 0)
		return r;

	copy->luks.fd = memfd_create("cotter-header", MFD_CLOEXEC);
	if (copy->luks.fd < 0)
		return -errno;
	if (ftruncate(copy->luks.fd, (off_t)(2 * copy->metadata + copy->keyslots)) < 0)
		return -errno;
	r = update(from->fd, copy->luks.fd, 0, 2 * copy->metadata + copy->keyslots);
	if (r == 0 && pread(copy->luks.fd, copy->start, START, 0) != START)
		r = -EIO;
	if (r < 0)
		return r;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", copy->luks.fd);
	r = crypt_init_data_device(&copy->luks.cd, path, crypt_get_device_name(from->cd));
	if (r < 0)
		return r;
	crypt_set_log_callback(copy->luks.cd, luks_keep_log, &copy->luks);
	return crypt_load(copy->luks.cd, CRYPT_LUKS2, NULL);
}

/* Gives the copy of the metadata at `at` the JSON of an end. */
static int finish_at(const struct copy *copy, uint64_t at)
{
	CLEANUP_JSON json_t *header = NULL;
	CLEANUP(buf_done) struct buf area = {0};
	int r;

	r = area_read(copy->luks.fd, at, (size_t)copy->metadata, &area);
	if (r == 0)
		r = area_json(&area, &header);
	if (r == 0)
		r = finished_make(header);
	if (r == 0)
		r = area_set(&area, header);
	if (r == 0 && pwrite(copy->luks.fd, area.p, area.n, (off_t)at) != (ssize_t)area.n)
		r = -EIO;
	return r;
}

static int finish(const struct copy *copy)
{
	int r;

	r = finish_at(copy, 0);
	return r < 0 ? r : finish_at(copy, copy->metadata);
}

static int recover(struct copy *copy, struct ref secret)
{
	const struct crypt_params_reencrypt params = {
		.resilience = "journal",
		.flags = CRYPT_REENCRYPT_RECOVERY,
	};
	int r;

	r = crypt_reencrypt_init_by_passphrase(copy->luks.cd, NULL, (const char *)secret.p,
					       secret.n, CRYPT_ANY_SLOT, CRYPT_ANY_SLOT, NULL, NULL,
					       &params);
	return r == -ENOENT ? -EPERM : r < 0 ? r : 0;
}

/* As libcryptsetup reads it now: what it should be, and what opens it. */
static int check(struct copy *copy, struct ref secret, enum luks_settle what)
{
	int r;

	r = crypt_load(copy->luks.cd, CRYPT_LUKS2, NULL);
	if (r < 0)
		return r;
	if (what == LUKS_SETTLE_FINISH &&
	    crypt_reencrypt_status(copy->luks.cd, NULL) != CRYPT_REENCRYPT_NONE)
		return -EIO;
	return luks_opens(&copy->luks, secret);
}

/* Overwrites the key material of the keyslots that are no more. */
static int wipe_gone(const struct luks *before, const struct copy *copy)
{
	uint64_t offset, length;
	int r = 0;

	for (int i = 0; r == 0 && i < LUKS_KEYSLOTS; i++) {
		CLEANUP(buf_done) struct buf noise = {0};

		if (crypt_keyslot_area(before->cd, i, &offset, &length) < 0 ||
		    luks_keyslot(&copy->luks, (unsigned)i) != LUKS_KEYSLOT_FREE)
			continue;
		r = buf_random(&noise, (size_t)length);
		if (r == 0 &&
		    pwrite(copy->luks.fd, noise.p, noise.n, (off_t)offset) != (ssize_t)noise.n)
			r = -EIO;
	}
	return r;
}

/* What a recovery wrote must be there before the header says so. */
static int sync_data(const struct luks *luks)
{
	CLEANUP(close_fd) int fd = open(crypt_get_device_name(luks->cd), O_RDWR | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* The second copy of the metadata, the first, and only then the key material of what is no more. */
static int commit(const struct copy *copy, int fd)
{
	const uint64_t ends[] = {copy->metadata, 2 * copy->metadata,
				 2 * copy->metadata + copy->keyslots};
	uint8_t start[START];
	int r;

	if (pread(fd, start, START, 0) != START)
		return -EIO;
	if (memcmp(start, copy->start, START) != 0)
		return -ESTALE;

	r = update(copy->luks.fd, fd, ends[0], ends[1]);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = update(copy->luks.fd, fd, 0, ends[0]);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = update(copy->luks.fd, fd, ends[1], ends[2]);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

int luks_settle(struct luks *luks, struct ref secret, enum luks_settle what)
{
	CLEANUP(copy_done) struct copy copy;
	int r;

	r = copy_make(luks, &copy);
	if (r == 0)
		r = what == LUKS_SETTLE_FINISH ? finish(&copy) : recover(&copy, secret);
	if (r == 0)
		r = check(&copy, secret, what);
	if (r == 0)
		r = wipe_gone(luks, &copy);
	if (r == -EPERM)
		return r;
	if (r == 0)
		r = sync_data(luks);
	if (r == 0) {
		/* As libcryptsetup locks the header of an image; for a device it names a file of its own. */
		(void)flock(luks->fd, LOCK_EX);
		r = commit(&copy, luks->fd);
		(void)flock(luks->fd, LOCK_UN);
	}
	if (r == 0)
		r = crypt_load(luks->cd, CRYPT_LUKS2, NULL);
	if (r == -ESTALE)
		return log_err(luks->log, r,
			       "another program wrote the header of %s meanwhile; run this again",
			       luks->name);
	if (r < 0)
		return log_err(luks->log, -EIO, "the re-encryption of %s could not be %s: %s",
			       luks->name,
			       what == LUKS_SETTLE_FINISH ? "ended" : "recovered where it stopped",
			       luks_cause(&copy.luks, r));
	return 0;
}
