/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what device-mapper says of its devices. */
#include "enroll/in-use.h"

#include "units/text-file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 4, PATH_ROOM = 1024, WORD_MAX = 256 };

/* The entries of a folder, by number; taken whole, since folders are looked into on the way. */
struct entries {
	struct dirent **list;
	int n;
};

static void entries_done(struct entries *entries)
{
	for (int i = 0; i < entries->n; i++)
		free(entries->list[i]);
	free(entries->list);
}

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static struct entries entries_of(const char *folder)
{
	struct entries entries = {0};

	entries.n = scandir(folder, &entries.list, is_shown, versionsort);
	if (entries.n < 0)
		entries = (struct entries){0};
	return entries;
}

void in_use_done(struct in_use *in_use)
{
	for (size_t i = 0; i < in_use->n; i++) {
		free(in_use->volumes[i].name);
		for (size_t d = 0; d < in_use->volumes[i].n; d++)
			free(in_use->volumes[i].devices[d]);
	}
	free(in_use->volumes);
	*in_use = (struct in_use){0};
}

/* The first line of a file below `folder`; false where there is none, or too long a one. */
static bool read_word(const char *folder, const char *member, char ret[WORD_MAX])
{
	CLEANUP(buf_done) struct buf text = {0};
	char path[PATH_ROOM], *line;

	if (snprintf(path, sizeof(path), "%s/%s", folder, member) >= PATH_ROOM ||
	    text_file_read(path, WORD_MAX, &text) < 0)
		return false;
	line = (char *)text.p;
	line[strcspn(line, "\n")] = '\0';
	return (size_t)snprintf(ret, WORD_MAX, "%s", line) < WORD_MAX && *ret;
}

/* "CRYPT-LUKS2-UUID-NAME", the UUID in 32 digits. */
static bool read_uuid(const char *text, char ret[IN_USE_UUID_SIZE + 1])
{
	static const char prefix[] = "CRYPT-LUKS2-";

	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return false;
	text += strlen(prefix);
	for (size_t i = 0; i < IN_USE_UUID_SIZE; i++)
		if (!isxdigit((unsigned char)text[i]))
			return false;
	if (text[IN_USE_UUID_SIZE] != '-')
		return false;
	(void)snprintf(ret, IN_USE_UUID_SIZE + 1, "%.*s", IN_USE_UUID_SIZE, text);
	return true;
}

/* Where a device node is: by device-mapper's name where there is one; sysfs has ! for /. */
static char *node_of(const char *root, const char *folder, const char *kernel_name)
{
	char name[WORD_MAX], path[PATH_ROOM];
	size_t skip = strlen(root);

	if (read_word(folder, "dm/name", name) &&
	    snprintf(path, sizeof(path), "%s/dev/mapper/%s", root, name) < PATH_ROOM &&
	    access(path, F_OK) == 0)
		return strdup(path);

	if (snprintf(path, sizeof(path), "%s/dev/%s", root, kernel_name) >= PATH_ROOM)
		return NULL;
	for (char *c = path + skip; *c; c++)
		if (*c == '!')
			*c = '/';
	return strdup(path);
}

/* What cryptsetup puts between a volume and its device, for integrity and while it reencrypts. */
static bool is_between(const char *folder)
{
	char uuid[WORD_MAX];

	return read_word(folder, "dm/uuid", uuid) && (strncmp(uuid, "CRYPT-SUBDEV-", 13) == 0 ||
						      strncmp(uuid, "CRYPT-INTEGRITY-", 16) == 0);
}

/* Adds what the device with this folder is made of, from the top down. */
static int add_devices(const char *root, const char *folder, unsigned depth,
		       struct in_use_volume *volume)
{
	CLEANUP(entries_done) struct entries slaves = {0};
	char path[PATH_ROOM];
	int r = 0;

	if (snprintf(path, sizeof(path), "%s/slaves", folder) >= PATH_ROOM)
		return 0;
	slaves = entries_of(path);
	for (int i = 0; r == 0 && i < slaves.n; i++) {
		const char *name = slaves.list[i]->d_name;

		if (volume->n == IN_USE_DEVICES_MAX ||
		    snprintf(path, sizeof(path), "%s/slaves/%s", folder, name) >= PATH_ROOM)
			return 0;
		volume->devices[volume->n] = node_of(root, path, name);
		if (!volume->devices[volume->n])
			return -ENOMEM;
		volume->n++;
		if (depth < DEPTH_MAX && is_between(path))
			r = add_devices(root, path, depth + 1, volume);
	}
	return r;
}

/* Where the device is one, it is the next of in_use; there is room. */
static int add_volume(const char *root, const char *kernel_name, struct in_use *in_use)
{
	struct in_use_volume *volume = &in_use->volumes[in_use->n];
	char folder[PATH_ROOM], uuid[WORD_MAX], name[WORD_MAX];

	if (snprintf(folder, sizeof(folder), "%s/sys/block/%s", root, kernel_name) >= PATH_ROOM ||
	    !read_word(folder, "dm/uuid", uuid) || !read_uuid(uuid, volume->uuid) ||
	    !read_word(folder, "dm/name", name))
		return 0;

	volume->name = strdup(name);
	if (!volume->name)
		return -ENOMEM;
	in_use->n++;
	return add_devices(root, folder, 0, volume);
}

int in_use_read(const char *root, struct in_use *ret)
{
	CLEANUP(in_use_done) struct in_use in_use = {0};
	CLEANUP(entries_done) struct entries devices = {0};
	char path[PATH_ROOM];
	int r = 0;

	if (snprintf(path, sizeof(path), "%s/sys/block", root) < PATH_ROOM)
		devices = entries_of(path);
	in_use.volumes = calloc((size_t)devices.n + 1, sizeof(*in_use.volumes));
	if (!in_use.volumes)
		return -ENOMEM;

	for (int i = 0; r == 0 && i < devices.n; i++)
		r = add_volume(root, devices.list[i]->d_name, &in_use);
	if (r == 0)
		*ret = TAKE_STRUCT(in_use);
	return r;
}
