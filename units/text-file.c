/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads to the end, since files of /proc do not say their size. */
#include "units/text-file.h"

#include <errno.h>
#include <fcntl.h>

int text_file_read(const char *path, size_t max, struct buf *ret)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(buf_done) struct buf text = {0};
	int r = fd < 0 ? -errno : buf_init(&text, max + 1);

	if (r < 0)
		return r;
	if (buf_read(&text, fd) < 0)
		return -EIO;
	if (text.n > max)
		return -E2BIG;

	text.p[text.n] = '\0';
	*ret = TAKE_STRUCT(text);
	return 0;
}
