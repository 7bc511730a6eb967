/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file in memory, for what is read from one. */
#pragma once

#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

struct fuzz_file {
	int fd;
	char path[64];
};

/* The same file each time, with other bytes. */
static inline const struct fuzz_file *fuzz_file(struct ref bytes)
{
	static struct fuzz_file file = {.fd = -1};

	if (file.fd < 0) {
		file.fd = memfd_create("fuzz", MFD_CLOEXEC);
		CHECK(file.fd >= 0);
		(void)snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
	}
	CHECK(ftruncate(file.fd, 0) == 0 && lseek(file.fd, 0, SEEK_SET) == 0);
	CHECK(ref_write(bytes, file.fd) == 0);
	return &file;
}
