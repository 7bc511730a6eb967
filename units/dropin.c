/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the drop-in and the folder that holds it. */
#include "units/dropin.h"

#include "crypto/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char name[] = "50-cotter.conf";

static const char text[] =
	"# Made by cotter-generator(8) from crypttab and the kernel command line\n"
	"\n"
	"[Unit]\n"
	"Wants=network-online.target\n"
	"After=network-online.target\n";

static int open_folder(const char *folder, const char *unit)
{
	char *path = NULL;
	int fd = -1, r = 0;

	if (asprintf(&path, "%s/%s.d", folder, unit) < 0)
		return -ENOMEM;

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		r = fd < 0 ? -errno : fd;
	}
	free(path);
	return r;
}

static int write_file(int folder)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), r;

	if (fd < 0)
		return -errno;

	r = ref_write(ref_str(text), fd);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(folder, name, 0);
	return r;
}

int dropin_write(const char *folder, const char *unit)
{
	int fd = open_folder(folder, unit), r;

	if (fd < 0)
		return fd;

	r = write_file(fd);
	(void)close(fd);
	return r;
}
