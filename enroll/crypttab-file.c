/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and replaces crypttab. */
#include "enroll/crypttab-file.h"

#include "units/crypttab.h"
#include "units/text-file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void crypttab_file_done(struct crypttab_file *file)
{
	free(file->path);
	buf_done(&file->text);
	*file = (struct crypttab_file){0};
}

/* The folder of a path; NULL out of memory. */
static char *folder_of(const char *path)
{
	char *copy = strdup(path), *folder = copy ? strdup(dirname(copy)) : NULL;

	free(copy);
	return folder;
}

static int find(const char *path, const struct log *log, char **ret)
{
	struct stat st;

	*ret = realpath(path, NULL);
	if (*ret)
		return 0;
	if (errno == ENOENT && lstat(path, &st) < 0) {
		*ret = strdup(path);
		return *ret ? 0 : -ENOMEM;
	}
	return log_err(log, errno == ENOENT ? -ENOENT : -EACCES, "%s cannot be followed: %s", path,
		       strerror(errno));
}

static int check_writable(const struct crypttab_file *file, const struct log *log)
{
	CLEANUP(free_text) char *folder = folder_of(file->path);

	if (!folder)
		return -ENOMEM;
	if (access(folder, W_OK) == 0)
		return 0;
	return log_err(log, -EACCES,
		       "%s cannot be written: %s; --crypttab is for root, and for a writable %s",
		       file->path, strerror(errno), folder);
}

int crypttab_file_read(const char *path, const struct log *log, struct crypttab_file *ret)
{
	CLEANUP(crypttab_file_done) struct crypttab_file file = {0};
	int r;

	r = find(path, log, &file.path);
	if (r < 0)
		return r;

	r = text_file_read(file.path, CRYPTTAB_SIZE_MAX, &file.text);
	file.there = r != -ENOENT;
	if (r < 0 && file.there)
		return log_err(log, r, "%s cannot be read: %s; --crypttab is for root", file.path,
			       strerror(-r));
	r = check_writable(&file, log);
	if (r == 0 && !file.there)
		r = buf_copy(&file.text, ref_str(""));
	if (r == 0)
		*ret = TAKE_STRUCT(file);
	return r;
}

static int copy_rights(const struct crypttab_file *file, int fd)
{
	struct stat st;

	if (!file->there)
		return 0;
	if (stat(file->path, &st) < 0 || fchown(fd, st.st_uid, st.st_gid) < 0 ||
	    fchmod(fd, st.st_mode & 07777) < 0)
		return -errno;
	return 0;
}

/* One name for all runs: what a run that was killed left is written over by the next. */
static int make_beside(const struct crypttab_file *file, const char *beside, struct ref text)
{
	CLEANUP(close_fd) int fd = -1;
	int r;

	if (unlink(beside) < 0 && errno != ENOENT)
		return -errno;
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = copy_rights(file, fd);
	if (r == 0)
		r = ref_write(text, fd);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

static int sync_folder(const char *folder)
{
	CLEANUP(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int crypttab_file_write(const struct crypttab_file *file, struct ref text, const struct log *log)
{
	CLEANUP(free_text) char *folder = folder_of(file->path), *beside = NULL;
	int r;

	if (!folder || asprintf(&beside, "%s/.crypttab.cotter", folder) < 0)
		return -ENOMEM;

	r = make_beside(file, beside, text);
	if (r == 0 && rename(beside, file->path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(beside);
		return log_err(log, -EIO, "%s could not be replaced and is as it was: %s",
			       file->path, strerror(-r));
	}
	r = sync_folder(folder);
	if (r < 0)
		return log_err(log, -EIO, "%s was replaced, but may not be on the disk yet: %s",
			       file->path, strerror(-r));
	return 0;
}
