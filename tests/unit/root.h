/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder made like / of a machine, file by file. */
#pragma once

#include "tests/unit/ref.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/test-root.XXXXXX";

static inline int root_begin(void)
{
	return mkdtemp(root) ? 0 : -1;
}

/* With all the folders above it. */
static inline void put(const char *path, const char *text)
{
	char whole[512];
	FILE *f;

	(void)snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (char *c = whole + strlen(root) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		(void)mkdir(whole, 0755);
		*c = '/';
	}
	f = fopen(whole, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* A path in it; good until the next call but three. */
static inline const char *under(const char *path)
{
	static char paths[4][512];
	static unsigned next;
	char *whole = paths[next++ % 4];

	(void)snprintf(whole, sizeof(paths[0]), "%s%s", root, path);
	return whole;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int remove_root(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
