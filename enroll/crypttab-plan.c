/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds a volume's line, and makes the new one. */
#include "enroll/crypttab-plan.h"

#include "enroll/key-socket.h"
#include "enroll/stack.h"

#include "units/crypttab.h"
#include "units/place.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

/* What is known of the volume while its line is sought. */
struct look {
	struct luks *luks;
	const struct options *options;
	struct ref text;
	struct stat st; /* of its data */
	struct stack stack;
	char *device; /* as a line is to name it */
	char *header; /* "header=PATH"; NULL: on the device */
};

static void look_done(struct look *look)
{
	stack_done(&look->stack);
	free(look->device);
	free(look->header);
}

void crypttab_plan_done(struct crypttab_plan *plan)
{
	crypttab_file_done(&plan->file);
	buf_done(&plan->text);
	free(plan->name);
	free(plan->old);
	free(plan->line);
	*plan = (struct crypttab_plan){0};
}

bool crypttab_plan_changes(const struct crypttab_plan *plan)
{
	return !plan->old || strcmp(plan->old, plan->line) != 0;
}

static bool names_uuid(struct ref device, const char *uuid)
{
	static const char *const forms[] = {"UUID=", "/dev/disk/by-uuid/"};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t n = strlen(forms[i]);

		if (device.n == n + strlen(uuid) && memcmp(device.p, forms[i], n) == 0 &&
		    strncasecmp((const char *)device.p + n, uuid, device.n - n) == 0)
			return true;
	}
	return false;
}

/* Whether a line's device is the volume. */
static bool is_volume(const struct look *look, const struct crypttab_entry *entry)
{
	CLEANUP(place_done) struct place place = {0};
	struct stat st;

	if (!look->options->header && names_uuid(entry->device, luks_uuid(look->luks)))
		return true;
	if (place_of_entry(entry, &place) < 0 || stat(place.device, &st) < 0)
		return false;
	return S_ISBLK(st.st_mode) ? S_ISBLK(look->st.st_mode) && st.st_rdev == look->st.st_rdev
				   : st.st_dev == look->st.st_dev && st.st_ino == look->st.st_ino;
}

/* The first line of this name or, where it is NULL, of this volume; returns false where there is none. */
static bool find_line(const struct look *look, struct ref text, const char *name,
		      struct crypttab_entry *ret)
{
	struct crypttab_reader reader = {.rest = text};
	struct crypttab_entry entry;
	int r;

	while ((r = crypttab_next(&reader, &entry)) != 0) {
		if (r < 0 ||
		    !(name ? ref_equal(entry.name, ref_str(name)) : is_volume(look, &entry)))
			continue;
		*ret = entry;
		return true;
	}
	return false;
}

static char *text_of(struct ref ref)
{
	return strndup((const char *)ref.p, ref.n);
}

static int choose_name(const struct look *look, char **ret)
{
	const char *given = look->options->crypttab;
	struct crypttab_entry entry;

	if (*given)
		*ret = strdup(given);
	else if (find_line(look, look->text, NULL, &entry))
		*ret = text_of(entry.name);
	else if (look->stack.name)
		*ret = strdup(look->stack.name);
	else if (asprintf(ret, "luks-%s", luks_uuid(look->luks)) < 0)
		*ret = NULL;
	return *ret ? 0 : -ENOMEM;
}

/* A volume whose header is elsewhere has no UUID of its own, nor is one of a file's known to udev. */
static int choose_device(struct look *look)
{
	const struct options *options = look->options;
	struct crypttab_entry entry;

	if (find_line(look, look->text, NULL, &entry))
		look->device = text_of(entry.device);
	else if (options->header || !S_ISBLK(look->st.st_mode))
		look->device = realpath(options->device, NULL);
	else if (asprintf(&look->device, "UUID=%s", luks_uuid(look->luks)) < 0)
		look->device = NULL;
	return look->device ? 0 : -ENOMEM;
}

static int look_at(const char *root, struct look *look)
{
	const struct options *options = look->options;
	char *path;

	if (stat(options->device, &look->st) < 0)
		return log_err(look->luks->log, -ENOENT, "%s: %s", options->device,
			       strerror(errno));
	path = options->header ? realpath(options->header, NULL) : NULL;
	if (path && asprintf(&look->header, "header=%s", path) < 0)
		look->header = NULL;
	free(path);
	if (options->header && !look->header)
		return -ENOMEM;
	return S_ISBLK(look->st.st_mode) ? stack_look(root, look->st.st_rdev, &look->stack) : 0;
}

/* What crypttab_set() leaves to its caller. */
static int check_line(const struct look *look, const struct crypttab_entry *entry)
{
	const struct log *log = look->luks->log;
	struct ref header;

	if (!is_volume(look, entry))
		return log_err(log, -EEXIST,
			       "crypttab has volume %.*s on line %zu, on %.*s, which is not %s: "
			       "give another name, as --crypttab=NAME",
			       (int)entry->name.n, entry->name.p, entry->number,
			       (int)entry->device.n, entry->device.p, look->options->device);
	if (crypttab_option(entry->options, "header", &header) &&
	    (!look->header || !ref_equal(header, ref_str(look->header + strlen("header=")))))
		return log_err(log, -EEXIST,
			       "crypttab has the header of %.*s at %.*s, on line %zu: give "
			       "--header= with that path",
			       (int)entry->name.n, entry->name.p, (int)header.n, header.p,
			       entry->number);
	return 0;
}

static int make_options(const struct look *look, const struct marks *marks, char **ret)
{
	CLEANUP(buf_done) struct buf text = {0};
	int r = buf_init(&text, PATH_MAX + 1024);

	if (r == 0)
		r = marks_text(marks, &text);
	if (r == 0 && look->stack.system)
		r = buf_append_str(&text, ",x-initrd.attach");
	if (r == 0 && look->header)
		r = buf_append_str(&text, ",");
	if (r == 0 && look->header)
		r = buf_append_str(&text, look->header);
	if (r < 0)
		return r;
	*ret = text_of(buf_ref(&text));
	return *ret ? 0 : -ENOMEM;
}

/* A policy that ends with the initramfs is for volumes that are opened there, before PCR 15 is extended. */
static int check_early(const struct look *look, const struct crypttab_plan *plan)
{
	const struct log *log = look->luks->log;

	if (plan->socket)
		return log_err(
			log, -EPERM,
			"crypttab has tpm2-measure-pcr= for %s, and what systemd measures may "
			"change PCR 15, which the token wants as it is when the machine starts: "
			"bind other PCRs",
			plan->name);
	if (!plan->initramfs)
		return log_err(
			log, -EPERM,
			"the token of %s wants PCR 15 as it is when the machine starts, which "
			"ends with the initramfs, and crypttab does not have it opened there: "
			"bind other PCRs, or give its line x-initrd.attach",
			plan->name);
	return 0;
}

static int set_line(const struct look *look, const struct marks *marks, struct crypttab_plan *plan)
{
	struct crypttab_edit edit = {.name = plan->name, .device = look->device};
	struct crypttab_entry entry;
	char *options = NULL;
	int r = make_options(look, marks, &options);

	edit.options = options;
	if (r == 0)
		r = crypttab_set(look->text, &edit, look->luks->log, &plan->text);
	free(options);
	if (r < 0)
		return r;

	if (!find_line(look, buf_ref(&plan->text), plan->name, &entry))
		return -EINVAL;
	plan->line = text_of(entry.line);
	plan->initramfs = crypttab_option(entry.options, "x-initrd.attach", NULL);
	plan->socket = key_socket_wanted(entry.options);
	r = plan->line ? 0 : -ENOMEM;
	if (r == 0 && !marks->late)
		r = check_early(look, plan);
	if (r == 0 && plan->socket)
		r = key_socket_check(look->luks, entry.options, marks->keyslots);
	return r;
}

static int decide(struct look *look, const struct marks *marks, struct crypttab_plan *plan)
{
	struct crypttab_entry entry = {0};
	bool there;
	int r;

	r = choose_name(look, &plan->name);
	if (r == 0)
		r = choose_device(look);
	if (r < 0)
		return r;

	there = find_line(look, look->text, plan->name, &entry);
	r = there ? check_line(look, &entry) : 0;
	if (r == 0 && there) {
		plan->old = text_of(entry.line);
		r = plan->old ? 0 : -ENOMEM;
	}
	return r < 0 ? r : set_line(look, marks, plan);
}

int crypttab_plan_make(const char *root, struct luks *luks, const struct options *options,
		       const struct marks *marks, struct crypttab_plan *ret)
{
	CLEANUP(crypttab_plan_done) struct crypttab_plan plan = {0};
	CLEANUP(look_done) struct look look = {.luks = luks, .options = options};
	char *path;
	int r;

	if (asprintf(&path, "%s/etc/crypttab", root) < 0)
		return -ENOMEM;
	r = crypttab_file_read(path, luks->log, &plan.file);
	free(path);
	look.text = buf_ref(&plan.file.text);
	if (r == 0)
		r = look_at(root, &look);
	if (r == 0)
		r = decide(&look, marks, &plan);
	if (r == 0)
		*ret = TAKE_STRUCT(plan);
	return r;
}
