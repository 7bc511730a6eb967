/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From names to paths, as systemd-cryptsetup-generator makes them. */
#include "units/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void place_done(struct place *place)
{
	free(place->device);
	free(place->header);
	*place = (struct place){0};
}

static const struct {
	const char *tag, *folder;
} tags[] = {
	{"UUID=", "uuid"},
	{"PARTUUID=", "partuuid"},
	{"LABEL=", "label"},
	{"PARTLABEL=", "partlabel"},
};

/* What udev writes as it is in the names of its links; the rest becomes \xNN. */
static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c >= 0x80 || (c != 0 && strchr("#+-.:=@_", c));
}

/* A link of udev's; NULL out of memory. */
static char *link_of(const char *folder, struct ref value)
{
	CLEANUP(buf_done) struct buf path = {0};
	int r;

	r = buf_init(&path,
		     strlen("/dev/disk/by-/") + strlen(folder) + value.n * strlen("\\x00") + 1);
	if (r == 0)
		r = buf_append_str(&path, "/dev/disk/by-");
	if (r == 0)
		r = buf_append_str(&path, folder);
	if (r == 0)
		r = buf_append_str(&path, "/");
	for (size_t i = 0; i < value.n && r == 0; i++) {
		char escaped[8];

		(void)snprintf(escaped, sizeof(escaped), "\\x%02x", value.p[i]);
		r = is_plain(value.p[i]) ? buf_append(&path, &value.p[i], 1)
					 : buf_append_str(&path, escaped);
	}
	return r < 0 ? NULL : strndup((const char *)path.p, path.n);
}

/* The path of what stands in a line's second field; NULL out of memory. */
static char *path_of(struct ref device)
{
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		size_t skip = strlen(tags[i].tag);
		struct ref value = {device.p + skip, device.n - skip};

		if (!ref_begins(device, tags[i].tag))
			continue;
		if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
			value = (struct ref){value.p + 1, value.n - 2};
		return link_of(tags[i].folder, value);
	}
	return strndup((const char *)device.p, device.n);
}

/* A header in a file system of its own ("PATH:DEVICE") is mounted for systemd-cryptsetup alone. */
static int read_header(struct ref options, struct place *place)
{
	struct ref header = {0};

	if (!crypttab_option(options, "header", &header) || !ref_begins(header, "/") ||
	    memchr(header.p, ':', header.n))
		return 0;
	place->header = strndup((const char *)header.p, header.n);
	return place->header ? 0 : -ENOMEM;
}

int place_of_entry(const struct crypttab_entry *entry, struct place *ret)
{
	CLEANUP(place_done) struct place place = {.device = path_of(entry->device)};
	int r = place.device ? read_header(entry->options, &place) : -ENOMEM;

	if (r == 0)
		*ret = TAKE_STRUCT(place);
	return r;
}

/* Finds the line with this name or, where that is empty, with this device. */
static int search(struct ref crypttab, struct ref name, const char *device, struct place *ret)
{
	struct crypttab_reader reader = {.rest = crypttab};
	struct crypttab_entry entry;
	int r;

	while ((r = crypttab_next(&reader, &entry)) != 0) {
		CLEANUP(place_done) struct place place = {0};

		if (r < 0 || (name.n > 0 && !ref_equal(entry.name, name)))
			continue;
		r = place_of_entry(&entry, &place);
		if (r < 0)
			return r;
		if (device && strcmp(place.device, device) != 0)
			continue;
		*ret = TAKE_STRUCT(place);
		return 0;
	}
	return -ENOENT;
}

int place_of_name(struct ref crypttab, struct ref name, struct place *ret)
{
	return name.n == 0 ? -ENOENT : search(crypttab, name, NULL, ret);
}

int place_of_device(struct ref crypttab, const char *device, struct place *ret)
{
	CLEANUP(place_done) struct place place = {0};
	int r;

	r = search(crypttab, (struct ref){0}, device, ret);
	if (r != -ENOENT)
		return r;
	place.device = strdup(device);
	if (!place.device)
		return -ENOMEM;
	*ret = TAKE_STRUCT(place);
	return 0;
}
