/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies headers to memory. */
#include "enroll/luks-copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libcryptsetup.h>

enum { COPY_CHUNK = 64 * 1024 };

static int copy_bytes(int from, int to, uint64_t n)
{
	CLEANUP(buf_done) struct buf chunk = {0};
	uint64_t at = 0;
	int r;

	r = buf_init(&chunk, COPY_CHUNK);
	while (r == 0 && at < n) {
		size_t want = n - at < COPY_CHUNK ? (size_t)(n - at) : COPY_CHUNK;
		ssize_t got = pread(from, chunk.p, want, (off_t)at);

		if (got <= 0 || pwrite(to, chunk.p, (size_t)got, (off_t)at) != got)
			return -EIO;
		at += (uint64_t)got;
	}
	return r;
}

static int copy_header(const struct luks *from, struct luks **ret)
{
	CLEANUP(luks_freep) struct luks *luks = calloc(1, sizeof(*luks));
	char path[sizeof("/proc/self/fd/") + 16];
	uint64_t metadata, keyslots;
	int r;

	if (!luks)
		return -ENOMEM;
	luks->name = from->name;
	luks->log = from->log;

	luks->fd = memfd_create("cotter-header", MFD_CLOEXEC);
	if (luks->fd < 0)
		return -errno;
	r = crypt_get_metadata_size(from->cd, &metadata, &keyslots);
	if (r == 0 && ftruncate(luks->fd, (off_t)(2 * metadata + keyslots)) < 0)
		r = -errno;
	if (r == 0)
		r = copy_bytes(from->fd, luks->fd, 2 * metadata);
	if (r < 0)
		return r;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", luks->fd);
	r = crypt_init(&luks->cd, path);
	if (r < 0)
		return r;
	crypt_set_log_callback(luks->cd, luks_keep_log, luks);
	r = crypt_load(luks->cd, CRYPT_LUKS2, NULL);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(luks);
	return 0;
}

int luks_copy_header(const struct luks *from, struct luks **ret)
{
	int r;

	r = copy_header(from, ret);
	if (r < 0)
		return log_err(from->log, r,
			       "the header of %s could not be copied to memory, to try the change "
			       "there first: %s",
			       from->name, strerror(-r));
	return 0;
}
