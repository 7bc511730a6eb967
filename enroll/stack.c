/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Follows a file system down to the devices that it is on. */
#include "enroll/stack.h"

#include "units/text-file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

enum { DEPTH_MAX = 16, PATH_ROOM = 1024, NUMBER_MAX = 24, MOUNTS_MAX = 4 * 1024 * 1024 };

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

void stack_done(struct stack *stack)
{
	free(stack->name);
	*stack = (struct stack){0};
}

/* The first line of a file; false where there is none, or too long a one. */
static bool read_line(const char *path, char *ret, size_t size)
{
	CLEANUP(buf_done) struct buf text = {0};
	char *line;

	if (text_file_read(path, PATH_ROOM, &text) < 0)
		return false;
	line = (char *)text.p;
	line[strcspn(line, "\n")] = '\0';
	return (size_t)snprintf(ret, size, "%s", line) < size && *ret;
}

/* The devices in a folder of sysfs as DEVICE/slaves; entries alone are looked at. */
static DIR *open_list(const char *root, const char *number, const char *list, char ret[PATH_ROOM])
{
	if (snprintf(ret, PATH_ROOM, "%s/sys/dev/block/%s/%s", root, number, list) >= PATH_ROOM)
		return NULL;
	return opendir(ret);
}

static bool read_member(const char *folder, const char *entry, const char *member, char *ret,
			size_t size)
{
	char path[PATH_ROOM];

	return entry[0] != '.' &&
	       snprintf(path, sizeof(path), "%s/%s/%s", folder, entry, member) < PATH_ROOM &&
	       read_line(path, ret, size);
}

/* Whether the device `number` is the wanted one, or is made of it. */
static bool is_on(const char *root, const char *number, const char *wanted, unsigned depth)
{
	char folder[PATH_ROOM], below[NUMBER_MAX];
	CLEANUP(close_dir) DIR *dir = NULL;
	const struct dirent *entry;

	if (strcmp(number, wanted) == 0)
		return true;
	dir = depth < DEPTH_MAX ? open_list(root, number, "slaves", folder) : NULL;
	while (dir && (entry = readdir(dir)))
		if (read_member(folder, entry->d_name, "dev", below, sizeof(below)) &&
		    is_on(root, below, wanted, depth + 1))
			return true;
	return false;
}

static int find_name(const char *root, const char *number, char **ret)
{
	static const char prefix[] = "CRYPT-LUKS";
	char folder[PATH_ROOM], uuid[256], name[256];
	CLEANUP(close_dir) DIR *dir = open_list(root, number, "holders", folder);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (!read_member(folder, entry->d_name, "dm/uuid", uuid, sizeof(uuid)) ||
		    strncmp(uuid, prefix, strlen(prefix)) != 0 ||
		    !read_member(folder, entry->d_name, "dm/name", name, sizeof(name)))
			continue;
		*ret = strdup(name);
		return *ret ? 0 : -ENOMEM;
	}
	return 0;
}

/* The number of the device that a file system such as btrfs, which has one of its own, names as its source. */
static bool number_of_source(const char *root, const char *source, char ret[NUMBER_MAX])
{
	char path[PATH_ROOM];
	CLEANUP(free_text) char *real = NULL;

	if (source[0] != '/' || snprintf(path, sizeof(path), "%s%s", root, source) >= PATH_ROOM)
		return false;
	real = realpath(path, NULL);
	if (!real || !strrchr(real, '/') ||
	    snprintf(path, sizeof(path), "%s/sys/class/block%s/dev", root, strrchr(real, '/')) >=
		    PATH_ROOM)
		return false;
	return read_line(path, ret, NUMBER_MAX);
}

/* A line of mountinfo: "ID PARENT MAJ:MIN ROOT WHERE OPTIONS [FIELD…] - TYPE SOURCE OPTIONS". */
static bool is_system_on(const char *root, char *line, const char *wanted)
{
	enum { NUMBER = 2, WHERE = 4, FIELDS_MAX = 32 };
	char *fields[FIELDS_MAX], *save = NULL, number[NUMBER_MAX];
	size_t n = 0, dash = WHERE + 2;

	for (char *word = strtok_r(line, " ", &save); word && n < FIELDS_MAX;
	     word = strtok_r(NULL, " ", &save))
		fields[n++] = word;
	while (dash < n && strcmp(fields[dash], "-") != 0)
		dash++;
	if (dash + 2 >= n ||
	    (strcmp(fields[WHERE], "/") != 0 && strcmp(fields[WHERE], "/usr") != 0))
		return false;

	if (strncmp(fields[NUMBER], "0:", 2) != 0)
		return is_on(root, fields[NUMBER], wanted, 0);
	return number_of_source(root, fields[dash + 2], number) && is_on(root, number, wanted, 0);
}

int stack_look(const char *root, dev_t device, struct stack *ret)
{
	CLEANUP(stack_done) struct stack stack = {0};
	CLEANUP(buf_done) struct buf mounts = {0};
	char path[PATH_ROOM], number[NUMBER_MAX], *save = NULL;
	int r;

	(void)snprintf(number, sizeof(number), "%u:%u", major(device), minor(device));
	r = find_name(root, number, &stack.name);
	if (r < 0)
		return r;

	if (snprintf(path, sizeof(path), "%s/proc/self/mountinfo", root) < PATH_ROOM &&
	    text_file_read(path, MOUNTS_MAX, &mounts) == 0)
		for (char *line = strtok_r((char *)mounts.p, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			stack.system = stack.system || is_system_on(root, line, number);

	*ret = TAKE_STRUCT(stack);
	return 0;
}
