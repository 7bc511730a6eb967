/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder of shell scripts called clevis-NAME, on PATH before the system's. */
#pragma once

#include "tests/unit/vectors/jose.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char programs_folder[64];

static inline void programs_path(const char *name, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s/clevis-%s", programs_folder, name);
}

static inline void programs_add(const char *name, const char *body, mode_t mode)
{
	char path[128];
	int fd;

	programs_path(name, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_true(dprintf(fd, "#!/bin/sh\n%s\n", body) > 0);
	(void)close(fd);
}

static inline void programs_begin(void)
{
	char path[160];

	(void)snprintf(programs_folder, sizeof(programs_folder), "/tmp/cotter-programs.XXXXXX");
	assert_non_null(mkdtemp(programs_folder));
	(void)snprintf(path, sizeof(path), "/nonexistent::%s:/usr/bin:/bin", programs_folder);
	assert_int_equal(setenv("PATH", path, 1), 0);
}

static inline void programs_end(void)
{
	DIR *dir = opendir(programs_folder);
	const struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), entry->d_name,
				       entry->d_type == DT_DIR ? AT_REMOVEDIR : 0);
	(void)closedir(dir);
	(void)rmdir(programs_folder);
}
