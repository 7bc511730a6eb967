/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder of keys in a folder of the test's own. Include after the room's header. */
#pragma once

#include "tests/unit/lines.h"
#include "tests/unit/root.h"
#include "tests/unit/vectors/tang-keys.h"

/* Puts a new key there; its name, without dot and suffix, is its thumbprint where `name` is NULL. */
static inline void put_key(const char *name, const char *curve, enum keyring_use use)
{
	char *text = new_key_text(curve, use), path[256];

	(void)snprintf(path, sizeof(path), "/%s", name);
	put(path, text);
	free(text);
}

static inline void put_pair(const char *signing, const char *exchange)
{
	put_key(exchange, "P-256", KEYRING_EXCHANGE);
	put_key(signing, "P-256", KEYRING_SIGNING);
}

static inline void move_file(const char *from, const char *to)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", root, from);
	assert_int_equal(rename(path, under(to)), 0);
}

/* The names of a snapshot's files, with spaces between; good until the next call. */
static inline const char *names_of(const struct keys *keys)
{
	static char text[2048];
	const struct keys_file *files;
	size_t n;

	*text = '\0';
	files = keys_files(keys, &n);
	for (size_t i = 0; i < n; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			       i > 0 ? " " : "", files[i].name);
	return text;
}

static inline int fresh_root(void **state)
{
	(void)state;
	memcpy(root + strlen(root) - 6, "XXXXXX", 6);
	return root_begin();
}
