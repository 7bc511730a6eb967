/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds paths in an image as its kernel will, over links. */
#include "enroll/initrd.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

enum { PATH_ROOM = 1024, LINKS_MAX = 40 };

/* Goes up from a path without a slash in front. */
static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	*(slash ? slash : path) = '\0';
}

/*
 * Walks `rest` on from the folder `at`, and leaves in `at` where that leads. Returns false where there is
 * nothing, or links without end.
 */
static bool walk(const json_t *files, const char *path, char at[PATH_ROOM])
{
	char rest[PATH_ROOM], next[PATH_ROOM];
	size_t links = 0;

	at[0] = '\0';
	if ((size_t)snprintf(rest, sizeof(rest), "%s", path) >= sizeof(rest))
		return false;
	for (;;) {
		size_t skip = strspn(rest, "/"), n = strcspn(rest + skip, "/"), len = strlen(at);
		const char *word = rest + skip, *link;
		const json_t *value;

		if (n == 0)
			return true;
		if (n == 1 && word[0] == '.') {
			memmove(rest, word + n, strlen(word + n) + 1);
			continue;
		}
		if (n == 2 && word[0] == '.' && word[1] == '.') {
			cut_last(at);
			memmove(rest, word + n, strlen(word + n) + 1);
			continue;
		}
		if (snprintf(at + len, PATH_ROOM - len, "%s%.*s", len > 0 ? "/" : "", (int)n,
			     word) >= (int)(PATH_ROOM - len))
			return false;
		value = json_object_get(files, at);
		if (!value)
			return false;

		link = json_string_value(json_array_get(value, 0));
		if (!link) {
			memmove(rest, word + n, strlen(word + n) + 1);
			continue;
		}
		if (++links > LINKS_MAX ||
		    snprintf(next, sizeof(next), "%s/%s", link, word + n) >= (int)sizeof(next))
			return false;
		memcpy(rest, next, sizeof(rest));
		if (link[0] == '/')
			at[0] = '\0';
		else
			cut_last(at);
	}
}

bool initrd_has(const struct initrd *initrd, const char *path)
{
	char at[PATH_ROOM];

	return walk(initrd->files, path, at);
}

const char *initrd_text(const struct initrd *initrd, const char *path)
{
	char at[PATH_ROOM];

	return walk(initrd->files, path, at) ? js_str(initrd->files, at) : NULL;
}

bool initrd_has_modules(const struct initrd *initrd)
{
	const json_t *value;
	const char *path;

	json_object_foreach(initrd->files, path, value)
		if (fnmatch("*lib/modules/*/modules.*", path, 0) == 0 ||
		    fnmatch("*lib/modules/*/kernel/*", path, 0) == 0)
			return true;
	return false;
}

/* Whether a path ends in the file of a module, as /folder/NAME.ko.xz, where '-' and '_' are the same. */
static bool is_module(const char *path, size_t len, const char *folder, const char *name)
{
	char line[PATH_ROOM], *base, *end;

	if (len >= sizeof(line))
		return false;
	memcpy(line, path, len);
	line[len] = '\0';
	base = strrchr(line, '/');
	end = base ? strstr(base, ".ko") : NULL;
	if (!end || !strstr(line, folder))
		return false;

	*end = '\0';
	base++;
	if (!name)
		return true;
	for (; *base && *name; base++, name++)
		if (*base != *name && !(strchr("-_", *base) && strchr("-_", *name)))
			return false;
	return *base == *name;
}

bool initrd_has_module(const struct initrd *initrd, const char *folder, const char *name)
{
	const json_t *value;
	const char *path;

	json_object_foreach(initrd->files, path, value) {
		const char *text = json_string_value(value);

		if (is_module(path, strlen(path), folder, name))
			return true;
		if (!text || fnmatch("*/modules.builtin", path, 0) != 0)
			continue;
		for (size_t n; *text; text += n + (text[n] != '\0')) {
			n = strcspn(text, "\n");
			if (is_module(text, n, folder, name))
				return true;
		}
	}
	return false;
}
