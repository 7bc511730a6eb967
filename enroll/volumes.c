/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Joins crypttab and what is open, and looks at each. */
#include "enroll/volumes.h"

#include "enroll/in-use.h"
#include "enroll/inventory.h"
#include "units/text-file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { LOOP_MAJOR = 7, PATH_ROOM = 1024 };

/* What a path leads to, so that two paths to one device count as one. */
struct identity {
	bool there, block;
	dev_t device;
	ino_t inode; /* of a file */
};

static struct identity identity_of(const char *path)
{
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return (struct identity){0};
	if (S_ISBLK(st.st_mode))
		return (struct identity){true, true, st.st_rdev, 0};
	return (struct identity){true, false, st.st_dev, st.st_ino};
}

/* The first line of a loop device's file in sysfs. */
static bool read_loop(const char *root, dev_t device, const char *member, char ret[PATH_ROOM])
{
	CLEANUP(buf_done) struct buf text = {0};
	char path[256];

	if (snprintf(path, sizeof(path), "%s/sys/dev/block/%u:%u/loop/%s", root, major(device),
		     minor(device), member) >= (int)sizeof(path) ||
	    text_file_read(path, PATH_ROOM - 1, &text) < 0)
		return false;
	(void)snprintf(ret, PATH_ROOM, "%.*s", (int)strcspn((const char *)text.p, "\n"),
		       (const char *)text.p);
	return *ret;
}

/* An image that is open is on a loop device, which stands for the whole of it. */
static struct identity identity_below(const char *root, const char *path)
{
	struct identity identity = identity_of(path), file;
	char text[PATH_ROOM];

	if (!identity.block || major(identity.device) != LOOP_MAJOR ||
	    !read_loop(root, identity.device, "offset", text) || strcmp(text, "0") != 0 ||
	    !read_loop(root, identity.device, "backing_file", text))
		return identity;
	file = identity_of(text);
	return file.there ? file : identity;
}

static bool is_same(struct identity a, struct identity b)
{
	return a.there == b.there && a.block == b.block && a.device == b.device &&
	       a.inode == b.inode;
}

static void found_done(struct found *found)
{
	free(found->name);
	place_done(&found->place);
}

void volumes_done(struct volumes *volumes)
{
	for (size_t i = 0; i < volumes->n; i++)
		found_done(&volumes->found[i]);
	free(volumes->found);
	*volumes = (struct volumes){0};
}

/* NULL: on the device. */
static bool is_same_header(const char *a, const char *b)
{
	struct identity identity = identity_of(a);

	if (!a || !b)
		return a == b;
	return identity.there ? is_same(identity, identity_of(b)) : strcmp(a, b) == 0;
}

/* Whether something that was found is on this device, with this header or with `any`. */
static bool is_found(const char *root, const struct volumes *volumes, const struct place *place,
		     bool any)
{
	struct identity data = identity_below(root, place->device);

	for (size_t i = 0; data.there && i < volumes->n; i++) {
		const struct place *other = &volumes->found[i].place;

		if (is_same(identity_below(root, other->device), data) &&
		    (any || is_same_header(other->header, place->header)))
			return true;
	}
	return false;
}

/* Takes the struct; there is room. */
static void add(struct volumes *volumes, struct found *found)
{
	volumes->found[volumes->n++] = TAKE_STRUCT(*found);
}

static enum found_state state_of(const struct luks *luks)
{
	CLEANUP(inventory_done) struct inventory inventory = {0};

	if (inventory_read(luks, &inventory) < 0)
		return FOUND_BOUND;
	for (size_t i = 0; i < inventory.n; i++)
		if (inventory.items[i].ours)
			return FOUND_BOUND;
	return FOUND_BARE;
}

/* Of the volume with this UUID, in digits alone, where `uuid` is not NULL. */
static enum found_state look_at(const struct place *place, const char *uuid)
{
	CLEANUP(luks_freep) struct luks *luks = NULL;
	const char *has;
	size_t n = 0;
	int r;

	r = luks_open(place->device, place->header, false, NULL, &luks);
	if (r == -ENOENT)
		return FOUND_AWAY;
	if (r == -EMEDIUMTYPE || (r < 0 && uuid))
		return FOUND_OTHER;
	if (r < 0)
		return FOUND_BOUND;

	has = luks_uuid(luks);
	for (size_t i = 0; uuid && has && has[i]; i++)
		if (has[i] != '-' && has[i] != uuid[n++])
			return FOUND_OTHER;
	return state_of(luks);
}

/* Puts the root in front of a path. */
static int put_under(const char *root, char **path)
{
	char *under = NULL;

	if (!*path || !*root)
		return 0;
	if (asprintf(&under, "%s%s", root, *path) < 0)
		return -ENOMEM;
	free(*path);
	*path = under;
	return 0;
}

static int add_entry(const char *root, const struct crypttab_entry *entry, struct volumes *volumes)
{
	CLEANUP(found_done) struct found found = {0};
	int r;

	found.name = strndup((const char *)entry->name.p, entry->name.n);
	r = found.name ? place_of_entry(entry, &found.place) : -ENOMEM;
	if (r == 0)
		r = put_under(root, &found.place.device);
	if (r == 0)
		r = put_under(root, &found.place.header);
	if (r < 0)
		return r;

	if (is_found(root, volumes, &found.place, false))
		return 0;
	/* One in a file system of its own is mounted by systemd alone. */
	found.state = !found.place.header && crypttab_option(entry->options, "header", NULL)
			      ? FOUND_HEADLESS
			      : look_at(&found.place, NULL);
	add(volumes, &found);
	return 0;
}

static int add_in_use(const char *root, const struct in_use_volume *volume, struct volumes *volumes)
{
	CLEANUP(found_done) struct found found = {.state = FOUND_HEADLESS};
	size_t which = 0;

	for (size_t i = 0; i < volume->n; i++) {
		const struct place place = {.device = volume->devices[i]};

		if (is_found(root, volumes, &place, true))
			return 0;
	}
	for (size_t i = 0; i < volume->n && found.state == FOUND_HEADLESS; i++) {
		const struct place place = {.device = volume->devices[i]};
		enum found_state state = look_at(&place, volume->uuid);

		if (state != FOUND_BOUND && state != FOUND_BARE)
			continue;
		found.state = state;
		which = i;
	}
	if (volume->n == 0)
		return 0;

	found.name = strdup(volume->name);
	found.place.device = strdup(volume->devices[which]);
	if (!found.name || !found.place.device)
		return -ENOMEM;
	add(volumes, &found);
	return 0;
}

/* With the number of its lines, which is at least that of its volumes. */
static int read_crypttab(const char *root, const struct log *log, struct buf *ret,
			 size_t *ret_lines)
{
	char path[PATH_ROOM];
	int r;

	if (snprintf(path, sizeof(path), "%s/etc/crypttab", root) >= (int)sizeof(path))
		return -EIO;
	r = text_file_read(path, CRYPTTAB_SIZE_MAX, ret);
	if (r < 0 && r != -ENOENT)
		return log_err(log, -EIO, "%s cannot be read: %s", path, strerror(-r));
	*ret_lines = 1;
	for (size_t i = 0; i < ret->n; i++)
		*ret_lines += ret->p[i] == '\n' || ret->p[i] == '\r' || ret->p[i] == '\0';
	return 0;
}

int volumes_find(const char *root, const struct log *log, struct volumes *ret)
{
	CLEANUP(volumes_done) struct volumes volumes = {0};
	CLEANUP(in_use_done) struct in_use in_use = {0};
	CLEANUP(buf_done) struct buf text = {0};
	struct crypttab_reader reader = {0};
	struct crypttab_entry entry;
	size_t lines = 0;
	int r;

	r = read_crypttab(root, log, &text, &lines);
	if (r == 0)
		r = in_use_read(root, &in_use);
	if (r < 0)
		return r;
	volumes.found = calloc(lines + in_use.n, sizeof(*volumes.found));
	if (!volumes.found)
		return -ENOMEM;

	reader.rest = buf_ref(&text);
	while (r == 0 && (r = crypttab_next(&reader, &entry)) != 0)
		r = r < 0 ? 0 : add_entry(root, &entry, &volumes);
	for (size_t i = 0; r == 0 && i < in_use.n; i++)
		r = add_in_use(root, &in_use.volumes[i], &volumes);
	if (r == 0)
		*ret = TAKE_STRUCT(volumes);
	return r;
}
