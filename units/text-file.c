/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads to the end, since files of /proc do not say their size. */
#include "units/text-file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int text_file_read(const char *path, size_t max, char **ret_text, size_t *ret_n)
{
	char *text = malloc(max + 2);
	FILE *f = fopen(path, "re");
	size_t n = 0;
	int r = 0;

	if (!f)
		r = -errno;
	else if (!text)
		r = -ENOMEM;
	else if ((n = fread(text, 1, max + 1, f)) > max)
		r = -E2BIG;
	else if (ferror(f))
		r = -EIO;
	if (f)
		(void)fclose(f);
	if (r < 0) {
		free(text);
		return r;
	}

	text[n] = '\0';
	*ret_text = text;
	*ret_n = n;
	return 0;
}
