/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the kernel for a device alone, and loop devices for their files. */
#include "enroll/busy.h"

#include "units/text-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_ROOM = 8 * 1024, PATTERN_ROOM = 1024 };

/* Mounts and device-mapper hold it so too. */
static int ask_for_device(const char *path)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		return 0;
	return errno == EBUSY ? -EBUSY : -EIO;
}

static int is_backing(const char *member, const char *file)
{
	CLEANUP(buf_done) struct buf text = {0};
	char *name;
	int r;

	r = text_file_read(member, NAME_ROOM, &text);
	if (r < 0)
		return r == -ENOMEM ? r : 0; /* a loop device without a file */
	name = (char *)text.p;
	name[strcspn(name, "\n")] = '\0';
	return strcmp(name, file) == 0 ? -EBUSY : 0;
}

static int ask_loop_devices(const char *root, const char *path)
{
	CLEANUP(free_text) char *file = realpath(path, NULL);
	char pattern[PATTERN_ROOM];
	glob_t found = {0};
	int r = 0;

	if (!file)
		return -EIO;
	if (snprintf(pattern, sizeof(pattern), "%s/sys/block/loop*/loop/backing_file", root) >=
	    PATTERN_ROOM)
		return -EIO;
	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; r == 0 && i < found.gl_pathc; i++)
			r = is_backing(found.gl_pathv[i], file);
	globfree(&found);
	return r;
}

int busy_look(const char *root, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -EIO;
	return S_ISBLK(st.st_mode) ? ask_for_device(path) : ask_loop_devices(root, path);
}
