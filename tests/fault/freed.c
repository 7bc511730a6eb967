/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * To be preloaded: looks into each block of memory that is freed for the secrets that NEEDLES names, in
 * hexadecimal with ':' between, and says on stderr where it found one.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NEEDLES_MAX = 8, NEEDLE_SIZE_MAX = 256 };

static struct {
	unsigned char bytes[NEEDLE_SIZE_MAX];
	size_t n;
} needles[NEEDLES_MAX];
static size_t n_needles;
static bool ready;

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c - 'a' + 10;
}

static void read_needles(void)
{
	const char *c = getenv("NEEDLES");

	ready = true;
	for (; c && *c && n_needles < NEEDLES_MAX; n_needles++) {
		size_t n = 0;

		for (; c[0] && c[0] != ':' && n < NEEDLE_SIZE_MAX; c += 2)
			needles[n_needles].bytes[n++] =
				(unsigned char)(digit(c[0]) << 4 | digit(c[1]));
		needles[n_needles].n = n;
		c += *c == ':';
	}
}

static void look(void *block)
{
	size_t size = malloc_usable_size(block);

	for (size_t i = 0; i < n_needles; i++) {
		char line[100];
		int n;

		if (!memmem(block, size, needles[i].bytes, needles[i].n))
			continue;
		n = snprintf(line, sizeof(line), "freed: %zu bytes with secret %zu\n", size, i + 1);
		if (write(STDERR_FILENO, line, (size_t)n) != n)
			_exit(99);
	}
}

void free(void *block)
{
	static void (*next)(void *);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "free");
	if (!ready)
		read_needles();
	if (block)
		look(block);
	next(block);
}
