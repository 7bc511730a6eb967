/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * To be preloaded: numbers the calls of each process and its forks that change one of the files in STOP_FILES (with ':'
 * between; a folder stands for what lies in it and for its entries), writes each with its number to
 * STOP_LOG, and ends the process with SIGKILL at number STOP_AT, as STOP_HOW says: "before" it; in the
 * middle, with "half" of its bytes written; or with what it wrote "lost", at the next fsync() of the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long *number; /* shared with the processes that it forks */
static bool lost;    /* a write was dropped, so the next fsync() must not come to pass */

__attribute__((constructor)) static void begin(void)
{
	number = mmap(NULL, sizeof(*number), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (number == MAP_FAILED)
		_exit(99);
}

static bool how_is(const char *how)
{
	const char *wanted = getenv("STOP_HOW");

	return wanted && strcmp(wanted, how) == 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether the file, or the folder in which it lies, is one of those to be watched. */
static bool is_watched(const struct stat *file, const char *path)
{
	char folder[PATH_MAX], files[2 * PATH_MAX];
	char *save = NULL;
	struct stat parent = {0}, st;

	if (!getenv("STOP_FILES"))
		return false;
	(void)snprintf(files, sizeof(files), "%s", getenv("STOP_FILES"));
	(void)snprintf(folder, sizeof(folder), "%s", path);
	if (stat(dirname(folder), &parent) < 0)
		parent = (struct stat){0};
	for (char *c = strtok_r(files, ":", &save); c; c = strtok_r(NULL, ":", &save))
		if (stat(c, &st) == 0 && ((file && same_file(&st, file)) ||
					  (S_ISDIR(st.st_mode) && same_file(&st, &parent))))
			return true;
	return false;
}

static bool is_watched_fd(int fd)
{
	char link[64], path[PATH_MAX] = "";
	struct stat st;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) < 0 || readlink(link, path, sizeof(path) - 1) < 0)
		return false;
	return is_watched(&st, path);
}

static bool is_watched_path(const char *path)
{
	struct stat st;

	return is_watched(stat(path, &st) == 0 ? &st : NULL, path);
}

/* A path as the calls take it that have a folder's descriptor. */
static bool is_watched_at(int folder, const char *path)
{
	char whole[PATH_MAX];

	if (folder == AT_FDCWD || *path == '/')
		return is_watched_path(path);
	(void)snprintf(whole, sizeof(whole), "/proc/self/fd/%d/%s", folder, path);
	return is_watched_path(whole);
}

static void tell(const char *call, size_t n)
{
	const char *path = getenv("STOP_LOG");
	int fd =
		path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT, 0600)
		     : -1;
	char line[100];
	int len = snprintf(line, sizeof(line), "%ld %s %zu\n", *number, call, n);

	if (fd < 0)
		return;
	if (syscall(SYS_write, fd, line, (size_t)len) != len)
		_exit(99);
	(void)syscall(SYS_close, fd);
}

static void end(void)
{
	(void)kill(getpid(), SIGKILL);
	_exit(99);
}

/* Counts one call; true where it is the one at which the process is to end. */
static bool is_the_one(const char *call, size_t n)
{
	const char *at = getenv("STOP_AT");

	(*number)++;
	tell(call, n);
	return at && strtol(at, NULL, 10) == *number;
}

/* What is done at a call that is one as a whole. */
static void whole(const char *call)
{
	if (is_the_one(call, 0))
		end();
}

/* Buffered, as half of a block is no size for direct I/O. */
static void write_half(int fd, const struct iovec *parts, int n_parts, size_t n, off_t offset)
{
	char path[64];
	int other;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	other = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY);
	for (int i = 0; i < n_parts && n > 0; i++) {
		size_t len = parts[i].iov_len < n ? parts[i].iov_len : n;

		if (syscall(SYS_pwrite64, other, parts[i].iov_base, len, offset) != (long)len)
			_exit(99);
		offset += (off_t)len;
		n -= len;
	}
}

/* `offset` below 0: where the file stands. Returns whether the call is still to be made. */
static bool writing(const char *call, int fd, const struct iovec *parts, int n_parts, off_t offset)
{
	size_t n = 0;

	if (!is_watched_fd(fd))
		return true;
	for (int i = 0; i < n_parts; i++)
		n += parts[i].iov_len;
	if (!is_the_one(call, n))
		return true;
	if (how_is("lost")) {
		lost = true;
		if (offset < 0)
			(void)lseek(fd, (off_t)n, SEEK_CUR);
		return false;
	}
	if (how_is("half"))
		write_half(fd, parts, n_parts, n / 2, offset < 0 ? lseek(fd, 0, SEEK_CUR) : offset);
	end();
	return false;
}

static void syncing(const char *call, int fd)
{
	if (!is_watched_fd(fd))
		return;
	if (lost)
		end();
	whole(call);
}

#define PART(data, size) ((struct iovec){(void *)(uintptr_t)(data), (size)})

ssize_t write(int fd, const void *data, size_t n)
{
	return writing("write", fd, &PART(data, n), 1, -1) ? syscall(SYS_write, fd, data, n)
							   : (ssize_t)n;
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t offset)
{
	return writing("pwrite", fd, &PART(data, n), 1, offset)
		       ? syscall(SYS_pwrite64, fd, data, n, offset)
		       : (ssize_t)n;
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t offset)
{
	return pwrite(fd, data, n, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int n_parts)
{
	ssize_t n = 0;

	for (int i = 0; i < n_parts; i++)
		n += (ssize_t)parts[i].iov_len;
	return writing("writev", fd, parts, n_parts, -1) ? syscall(SYS_writev, fd, parts, n_parts)
							 : n;
}

int fsync(int fd)
{
	syncing("fsync", fd);
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	syncing("fdatasync", fd);
	return (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t size)
{
	if (is_watched_fd(fd))
		whole("ftruncate");
	return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	return ftruncate(fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t n)
{
	if (is_watched_fd(fd))
		whole("fallocate");
	return (int)syscall(SYS_fallocate, fd, mode, offset, n);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t n)
{
	return fallocate(fd, mode, offset, n);
}

int rename(const char *from, const char *to)
{
	if (is_watched_path(from) || is_watched_path(to))
		whole("rename");
	return (int)syscall(SYS_rename, from, to);
}

int unlink(const char *path)
{
	if (is_watched_path(path))
		whole("unlink");
	return (int)syscall(SYS_unlink, path);
}

int symlink(const char *to, const char *path)
{
	if (is_watched_path(path))
		whole("symlink");
	return (int)syscall(SYS_symlink, to, path);
}

int mkdir(const char *path, mode_t mode)
{
	if (is_watched_path(path))
		whole("mkdir");
	return (int)syscall(SYS_mkdir, path, mode);
}

/* One that makes a file. */
static int making(int folder, const char *path, int flags, mode_t mode)
{
	if ((flags & O_CREAT) && is_watched_at(folder, path))
		whole("openat");
	return (int)syscall(SYS_openat, folder, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return making(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return making(folder, path, flags, mode);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
	if (is_watched_at(from_folder, from) || is_watched_at(to_folder, to))
		whole("renameat");
	return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	return renameat2(from_folder, from, to_folder, to, 0);
}

int unlinkat(int folder, const char *path, int flags)
{
	if (is_watched_at(folder, path))
		whole("unlinkat");
	return (int)syscall(SYS_unlinkat, folder, path, flags);
}

int fchmod(int fd, mode_t mode)
{
	if (is_watched_fd(fd))
		whole("fchmod");
	return (int)syscall(SYS_fchmod, fd, mode);
}

int fchown(int fd, uid_t owner, gid_t group)
{
	if (is_watched_fd(fd))
		whole("fchown");
	return (int)syscall(SYS_fchown, fd, owner, group);
}
