/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what --doctor looks at of the machine, once for all volumes. */
#include "enroll/doctor.h"

#include "enroll/luks.h"
#include "units/text-file.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <sys/utsname.h>

enum { PATH_ROOM = 1024 };

static int read_text(const char *root, const char *path, const struct log *log, struct buf *ret)
{
	char whole[PATH_ROOM];
	int r;

	if ((size_t)snprintf(whole, sizeof(whole), "%s%s", root, path) >= sizeof(whole))
		return -EIO;
	r = text_file_read(whole, CRYPTTAB_SIZE_MAX, ret);
	if (r == -ENOENT)
		return buf_copy(ret, ref_str(""));
	if (r == -E2BIG)
		return log_err(log, -EIO, "%s is larger than 1 MiB: see what got into it", whole);
	return r < 0 && r != -ENOMEM
		       ? log_err(log, -EIO, "%s cannot be read: %s", whole, strerror(-r))
		       : r;
}

int machine_read(const char *root, const struct log *log, struct machine *ret)
{
	CLEANUP(machine_done) struct machine machine = {.root = root};
	int r;

	machine.plugins = luks_plugins_folder();
	r = read_text(root, "/etc/crypttab", log, &machine.crypttab);
	if (r == 0)
		r = read_text(root, "/etc/fstab", log, &machine.fstab);
	if (r == 0)
		r = read_text(root, "/proc/cmdline", log, &machine.cmdline);
	if (r == 0)
		*ret = TAKE_STRUCT(machine);
	return r;
}

/* Where kernel-install and distributions put images; "*" is the machine's id. */
static int find_image(const char *root, char **ret)
{
	static const char *const patterns[] = {
		"%s/boot/initrd.img-%s",
		"%s/boot/initramfs-%s.img",
		"%s/boot/initrd-%s",
		"%s/boot/*/%s/initrd",
		"%s/efi/*/%s/initrd",
		"%s/boot/efi/*/%s/initrd",
		"%s/usr/lib/modules/%s/initrd",
	};
	struct utsname kernel;

	(void)uname(&kernel);
	for (size_t i = 0; i < ARRAY_SIZE(patterns) && !*ret; i++) {
		char pattern[PATH_ROOM];
		const char *to = strrchr(patterns[i], '%'), *from = patterns[i] + strlen("%s");
		glob_t found;

		(void)snprintf(pattern, sizeof(pattern), "%s%.*s%s%s", root, (int)(to - from), from,
			       kernel.release, to + strlen("%s"));
		if (glob(pattern, GLOB_NOESCAPE, NULL, &found) != 0)
			continue;
		*ret = strdup(found.gl_pathv[0]);
		globfree(&found);
		if (!*ret)
			return -ENOMEM;
	}
	return 0;
}

/* What dracut reads beside the command line that the loader gives. */
static int collect_words(const struct machine *machine, char **ret)
{
	FILE *to;
	const json_t *value;
	const char *path;
	size_t size;

	to = open_memstream(ret, &size);
	if (!to)
		return -ENOMEM;
	(void)fputs((const char *)machine->cmdline.p, to);
	json_object_foreach(machine->image.files, path, value)
		if (strncmp(path, "etc/cmdline", strlen("etc/cmdline")) == 0 &&
		    json_is_string(value))
			(void)fprintf(to, " %s", json_string_value(value));
	return fclose(to) == 0 ? 0 : -ENOMEM;
}

int machine_read_image(struct machine *machine, const char *path, const struct log *log)
{
	int r = 0;

	if (path)
		machine->image_path = strdup(path);
	else
		r = find_image(machine->root, &machine->image_path);
	if (r < 0 || !machine->image_path)
		return path && r == 0 ? -ENOMEM : r;

	r = initrd_read(machine->image_path, log, &machine->image);
	if (r == 0)
		r = collect_words(machine, &machine->image_words);
	machine->image_by_dracut = !initrd_has(&machine->image, "/scripts/functions");
	return r;
}

void machine_done(struct machine *machine)
{
	buf_done(&machine->crypttab);
	buf_done(&machine->fstab);
	buf_done(&machine->cmdline);
	free(machine->image_path);
	free(machine->image_words);
	initrd_done(&machine->image);
	*machine = (struct machine){0};
}

bool machine_asks(const struct machine *machine, const char *word)
{
	const char *rest = machine->image_words ? machine->image_words : "";

	while (*rest) {
		rest += strspn(rest, " \t\n");
		if (strncmp(rest, word, strlen(word)) == 0)
			return true;
		rest += strcspn(rest, " \t\n");
	}
	return false;
}

bool machine_wants(const struct machine *machine, const char *target, const char *unit)
{
	static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system",
					      "/usr/local/lib/systemd/system",
					      "/usr/lib/systemd/system", "/lib/systemd/system"};
	bool wanted = false;

	/* Targets of the initramfs want some of the same. */
	for (size_t i = 0; i < ARRAY_SIZE(folders) && !wanted; i++) {
		char pattern[PATH_ROOM];
		glob_t found;

		(void)snprintf(pattern, sizeof(pattern), "%s%s/%s.wants/%s", machine->root,
			       folders[i], target, unit);
		if (glob(pattern, GLOB_NOESCAPE, NULL, &found) != 0)
			continue;
		for (size_t f = 0; f < found.gl_pathc; f++)
			wanted = wanted || !strstr(found.gl_pathv[f], "/initrd");
		globfree(&found);
	}
	return wanted;
}
