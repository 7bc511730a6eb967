/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes cpio archives as the kernel unpacks them. */
#pragma once

#include "tests/unit/ref.h"

#include <stdio.h>
#include <sys/stat.h>

/* An entry; the archive's end is one called "TRAILER!!!". */
static inline void archive_add(FILE *to, const char *name, unsigned mode, const char *data)
{
	static const char zeros[4];
	size_t size = strlen(data), name_size = strlen(name) + 1;

	(void)fprintf(to, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1, mode,
		      0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0);
	(void)fwrite(name, 1, name_size, to);
	(void)fwrite(zeros, 1, -(110 + name_size) & 3, to);
	(void)fwrite(data, 1, size, to);
	(void)fwrite(zeros, 1, -size & 3, to);
}

static inline void archive_end(FILE *to)
{
	archive_add(to, "TRAILER!!!", 0, "");
}
