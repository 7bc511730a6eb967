/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether an image opens a volume, and by what. */
#include "enroll/doctor.h"

#include "enroll/key-socket.h"
#include "units/unit-name.h"

#include <fnmatch.h>
#include <stdio.h>
#include <strings.h>

#define AGAIN "make the image again, by dracut --force or update-initramfs -u"

static const struct finding_kind no_image = {
	"image", FINDING_ERROR, "name the image that the next boot loads with --initrd="};
static const struct finding_kind not_in_image = {"volume", FINDING_ERROR, AGAIN};
static const struct finding_kind other_device = {
	"volume", FINDING_ERROR, "name this machine's image with --initrd=, or " AGAIN};
static const struct finding_kind key_in_image = {
	"key-file", FINDING_ERROR, "put \"none\" in its place in /etc/crypttab, and " AGAIN};
static const struct finding_kind old_line = {"old-image", FINDING_WARNING, AGAIN};
static const struct finding_kind no_cryptsetup = {
	"cryptsetup", FINDING_ERROR, "install cryptsetup for the initramfs, then " AGAIN};
static const struct finding_kind no_script = {
	"script", FINDING_ERROR, "install cotter's hook for initramfs-tools, and " AGAIN};
static const struct finding_kind no_agent = {"agent", FINDING_WARNING,
					     "install cotter's dracut module, and " AGAIN};
static const struct finding_kind no_socket = {"key-socket", FINDING_ERROR,
					      "install cotter's dracut module, and " AGAIN};

/* The volume's line in a text like crypttab. */
static bool find_line(const char *text, const char *name, struct crypttab_entry *ret)
{
	struct crypttab_reader reader = {.rest = ref_str(text ? text : "")};
	struct crypttab_entry entry;
	int r;

	while ((r = crypttab_next(&reader, &entry)) != 0) {
		if (r < 0 || !ref_equal(entry.name, ref_str(name)))
			continue;
		*ret = entry;
		return true;
	}
	return false;
}

/* Whether the command line has the volume opened: its UUID stands there for its device or its file system. */
static bool is_asked_for(const struct machine *machine, const struct patient *patient)
{
	const char *uuid = luks_uuid(patient->luks);

	return uuid && machine->image_words && strstr(machine->image_words, uuid);
}

static bool has_unit(const struct machine *machine, const char *unit)
{
	char pattern[512];
	const json_t *value;
	const char *path;

	(void)snprintf(pattern, sizeof(pattern), "*systemd/system/*.wants/%s", unit);
	json_object_foreach(machine->image.files, path, value)
		if (fnmatch(pattern, path, FNM_NOESCAPE) == 0)
			return true;
	return false;
}

static bool has_any(const struct machine *machine, const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (initrd_has(&machine->image, paths[i]))
			return true;
	return false;
}

static void look_at_key(const struct crypttab_entry *entry, struct findings *findings)
{
	if (!crypttab_none(entry->key))
		finding_add(findings, &key_in_image,
			    "the image's crypttab names the key file %.*s, so that no token is "
			    "tried",
			    (int)entry->key.n, (const char *)entry->key.p);
}

/* The UUID by which a field names a device; nothing where it does otherwise. */
static struct ref uuid_of(struct ref device)
{
	static const char *const begins[] = {"UUID=", "/dev/disk/by-uuid/"};

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		size_t n = strlen(begins[i]);

		if (ref_begins(device, begins[i]))
			return (struct ref){device.p + n, device.n - n};
	}
	return (struct ref){0};
}

/* An image may name the device in another way than crypttab, but by no other UUID. */
static void look_at_device(const struct patient *patient, const struct crypttab_entry *entry,
			   struct findings *findings)
{
	const char *uuid = luks_uuid(patient->luks);
	struct ref other = uuid_of(entry->device);

	if (other.n == 0 || !uuid || crypttab_option(entry->options, "header", NULL) ||
	    (other.n == strlen(uuid) && strncasecmp((const char *)other.p, uuid, other.n) == 0))
		return;
	finding_add(findings, &other_device,
		    "the image's crypttab has a volume of this name on %.*s, which is another "
		    "than this one (UUID %s)",
		    (int)entry->device.n, (const char *)entry->device.p, uuid);
}

static void look_at_line(const struct patient *patient, const struct crypttab_entry *entry,
			 struct findings *findings)
{
	look_at_key(entry, findings);
	look_at_device(patient, entry, findings);
	if (ref_equal(entry->options, patient->entry->options))
		return;
	if (entry->options.n == 0)
		finding_add(findings, &old_line,
			    "the image's crypttab has no options for the volume, unlike "
			    "/etc/crypttab");
	else
		finding_add(findings, &old_line,
			    "the image's crypttab has the options \"%.*s\" for the volume, not "
			    "those of /etc/crypttab",
			    (int)entry->options.n, (const char *)entry->options.p);
}

static void look_at_socket(const struct machine *machine, const struct patient *patient,
			   struct findings *findings)
{
	CLEANUP(free_text) char *unit = NULL;

	if (!key_socket_wanted(patient->entry->options) ||
	    unit_name_of("cotter-key@", patient->name, ".socket", &unit) < 0)
		return;
	if (!has_unit(machine, unit))
		finding_add(findings, &no_socket,
			    "systemd measures the key, so that no token is tried, and the image "
			    "has no %s to give it instead",
			    unit);
}

static void look_at_dracut(const struct machine *machine, const struct patient *patient,
			   struct findings *findings)
{
	static const char *const programs[] = {"/usr/lib/systemd/systemd-cryptsetup",
					       "/lib/systemd/systemd-cryptsetup",
					       "/usr/bin/systemd-cryptsetup"};
	struct crypttab_entry entry;

	if (!has_any(machine, programs, ARRAY_SIZE(programs)))
		finding_add(findings, &no_cryptsetup,
			    "the image has no systemd-cryptsetup, which opens volumes");
	if (find_line(initrd_text(&machine->image, "/etc/crypttab"), patient->name, &entry))
		look_at_line(patient, &entry, findings);
	else if (!is_asked_for(machine, patient))
		finding_add(findings, &not_in_image,
			    "neither the image's crypttab nor the kernel command line has the "
			    "volume opened");

	look_at_socket(machine, patient, findings);
	if (!has_unit(machine, "cotter-agent.path"))
		finding_add(findings, &no_agent,
			    "the image has no cotter-agent.path, so that a server or TPM that is "
			    "late is not waited for beside the prompt");
}

/*
 * Whether our hook wrote the volume down, as "network NAME" or "local NAME"; in the second case no network comes,
 * which some token has to do without.
 */
static bool is_left_to_us(const char *text, const struct patient *patient)
{
	const char *name = patient->name;
	size_t n = strlen(name);

	for (const char *line = text; line && *line;
	     line += strcspn(line, "\n"), line += *line == '\n') {
		size_t word = strcspn(line, " \n");

		if (line[word] == ' ' && strncmp(line, "plugin", word) != 0 &&
		    (patient->marks.local || strncmp(line, "local", word) != 0) &&
		    strcspn(line + word + 1, "\n") == n && strncmp(line + word + 1, name, n) == 0)
			return true;
	}
	return false;
}

static void look_at_tools(const struct machine *machine, const struct patient *patient,
			  struct findings *findings)
{
	static const char *const programs[] = {"/sbin/cryptsetup", "/usr/sbin/cryptsetup"};
	static const char *const scripts[] = {"/scripts/local-top/cotter",
					      "/scripts/local-block/cotter"};
	struct crypttab_entry entry;

	if (!has_any(machine, programs, ARRAY_SIZE(programs)))
		finding_add(findings, &no_cryptsetup,
			    "the image has no cryptsetup, which opens volumes");
	if (!has_any(machine, scripts, ARRAY_SIZE(scripts)))
		finding_add(findings, &no_script,
			    "the image has not the script by which cotter opens volumes");
	if (!find_line(initrd_text(&machine->image, "/cryptroot/crypttab"), patient->name,
		       &entry)) {
		finding_add(findings, &not_in_image, "the image's crypttab has not the volume");
		return;
	}
	look_at_device(patient, &entry, findings);
	if (!crypttab_none(entry.key))
		look_at_key(&entry, findings);
	else if (!is_left_to_us(initrd_text(&machine->image, "/cryptroot/cotter"), patient))
		finding_add(findings, &not_in_image,
			    "the image was made before the volume was bound as it is: its script "
			    "does not know it, or starts no network for it");
}

void doctor_image(const struct machine *machine, const struct patient *patient,
		  struct findings *findings)
{
	if (!machine->image_path)
		finding_add(findings, &no_image,
			    "the initramfs opens the volume, and no image of the running kernel "
			    "was found in /boot or /efi");
	else if (machine->image_by_dracut)
		look_at_dracut(machine, patient, findings);
	else
		look_at_tools(machine, patient, findings);
}
