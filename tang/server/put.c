/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing files that are whole. */
#include "tang/server/put.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

static int set_owner(int fd, const struct stat *owner)
{
	if (!owner || fchown(fd, owner->st_uid, owner->st_gid) == 0)
		return 0;
	if (errno != EPERM)
		return -errno;

	/* Another user than root keeps its file, and gives it a group only of its own. */
	return fchown(fd, (uid_t)-1, owner->st_gid) == 0 || errno == EPERM ? 0 : -errno;
}

static int write_file(int folder, const char *name, struct ref text, mode_t mode,
		      const struct stat *owner)
{
	CLEANUP(close_fd)
	int fd =
		openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR);
	int r;

	if (fd < 0)
		return -errno;

	r = ref_write(text, fd);
	if (r == 0)
		r = set_owner(fd, owner);
	if (r == 0 && fchmod(fd, mode) < 0)
		r = -errno;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

int put_file(int folder, const char *name, struct ref text, mode_t mode, const struct stat *owner)
{
	char new_name[NAME_MAX + 1];
	int r, n;

	n = snprintf(new_name, sizeof(new_name), "%s%s", name, PUT_SUFFIX);
	if (n < 0 || (size_t)n >= sizeof(new_name))
		return -ENAMETOOLONG;

	/* One that was not ended. */
	if (unlinkat(folder, new_name, 0) < 0 && errno != ENOENT)
		return -errno;
	r = write_file(folder, new_name, text, mode, owner);
	if (r == 0 && renameat(folder, new_name, folder, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(folder, new_name, 0);
		return r;
	}

	return fsync(folder) < 0 ? -errno : 0;
}

int put_path(const char *path, struct ref text, mode_t mode)
{
	CLEANUP(close_fd) int folder = -1;
	CLEANUP(free_text) char *copy = strdup(path);
	const char *name = path;
	char *slash;

	if (!copy)
		return -ENOMEM;

	slash = strrchr(copy, '/');
	if (slash) {
		name = path + (slash - copy) + 1;
		slash[slash == copy ? 1 : 0] = '\0';
	}
	folder = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;

	return put_file(folder, name, text, mode, NULL);
}
