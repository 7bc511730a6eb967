/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks for what a token's policy needs, which units/needs.h says in lines, where the volume is opened. */
#include "enroll/doctor.h"

#include "enroll/elf-needed.h"
#include "units/needs.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <strings.h>

#define AGAIN "make the image again, by dracut --force or update-initramfs -u"

static const struct finding_kind unusable = {
	"need", FINDING_ERROR, "put the file back where everybody may read it, or bind anew"};

/* In the real root, and in an image. */
static const struct finding_kind no_plugin[] = {
	{"plugin", FINDING_ERROR, "install cotter's plugins"},
	{"plugin", FINDING_ERROR, "install cotter's plugins, then " AGAIN},
};
static const struct finding_kind no_library[] = {
	{"library", FINDING_ERROR, "install the library"},
	{"library", FINDING_ERROR, "install the library, then " AGAIN},
};
static const struct finding_kind no_bundle[] = {
	{"ca-bundle", FINDING_ERROR, "install ca-certificates"},
	{"ca-bundle", FINDING_ERROR, "install ca-certificates, then " AGAIN},
};
static const struct finding_kind no_file[] = {
	{"file", FINDING_ERROR, "put the file back, or bind anew"},
	{"file", FINDING_ERROR, AGAIN},
};

static const struct finding_kind no_network = {
	"network", FINDING_ERROR,
	"install dracut-network with systemd-networkd or NetworkManager, then " AGAIN};
static const struct finding_kind not_asked = {
	"network-asked", FINDING_ERROR,
	"add rd.neednet=1 to the kernel command line, or " AGAIN " with cotter's module"};
static const struct finding_kind no_network_driver = {
	"network-driver", FINDING_ERROR,
	"have the network's driver included (dracut: add_drivers+=), and " AGAIN};
static const struct finding_kind no_name = {
	"name", FINDING_ERROR,
	"put the name into /etc/hosts or install systemd-resolved, then " AGAIN};
static const struct finding_kind no_tpm = {"tpm-driver", FINDING_ERROR,
					   AGAIN ", with the kernel's drivers for TPMs"};
static const struct finding_kind no_pcr15 = {"pcr15", FINDING_WARNING, AGAIN};

enum { PATH_ROOM = 1024 };

struct check {
	const struct machine *machine;
	const struct patient *patient;
	struct findings *findings;
	char libraries[PATH_ROOM]; /* the folder that the plugins' folder is in */
	json_t *linked; /* libraries that others are linked with, and that were looked for */
	bool networked; /* the network was looked at */
};

/* In the image or in the real root. */
static bool there(const struct check *check, const char *path)
{
	char whole[PATH_ROOM];

	if (check->patient->early)
		return initrd_has(&check->machine->image, path);
	return (size_t)snprintf(whole, sizeof(whole), "%s%s", check->machine->root, path) <
		       sizeof(whole) &&
	       access(whole, F_OK) == 0;
}

static bool any_there(const struct check *check, const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (there(check, paths[i]))
			return true;
	return false;
}

static const char *where(const struct check *check)
{
	return check->patient->early ? "the image" : "this system";
}

enum { FOLDERS = 6 };

/* Where libraries are looked for. */
static const char *folder(const struct check *check, size_t i)
{
	const char *const folders[FOLDERS] = {check->libraries, "/usr/lib64", "/usr/lib",
					      "/lib64",         "/lib",       "/usr/local/lib"};

	return folders[i];
}

/* Whether there is a library of this name. */
static bool has_library(const struct check *check, const char *name)
{
	for (size_t i = 0; i < FOLDERS; i++) {
		char path[PATH_ROOM];

		(void)snprintf(path, sizeof(path), "%s/%s", folder(check, i), name);
		if (there(check, path))
			return true;
	}
	return false;
}

/* Where this system has it, from which images are made. */
static bool find_library(const struct check *check, const char *name, char ret[PATH_ROOM])
{
	for (size_t i = 0; i < FOLDERS; i++) {
		(void)snprintf(ret, PATH_ROOM, "%s%s/%s", check->machine->root, folder(check, i),
			       name);
		if (access(ret, R_OK) == 0)
			return true;
	}
	return false;
}

/*
 * Whether the image has what a file of this system is linked with, and so on; what is not where all libraries
 * are nobody can say of.
 */
static void check_linked(struct check *check, const char *path, const char *name)
{
	CLEANUP_JSON json_t *needed = NULL;
	const json_t *each;
	size_t i;

	if (!check->patient->early || elf_needed(path, &needed) < 0)
		return;
	json_array_foreach(needed, i, each) {
		const char *other = json_string_value(each);
		char found[PATH_ROOM];

		if (json_object_get(check->linked, other) || !find_library(check, other, found))
			continue;
		(void)json_object_set_new(check->linked, other, json_true());
		if (has_library(check, other))
			check_linked(check, found, other);
		else
			finding_add(check->findings, &no_library[true],
				    "the image has no %s, which %s is linked with", other, name);
	}
}

static void check_plugin(struct check *check, const char *path)
{
	char copy[PATH_ROOM], whole[PATH_ROOM];

	(void)snprintf(copy, sizeof(copy), "%s", path);
	(void)snprintf(check->libraries, sizeof(check->libraries), "%s", dirname(dirname(copy)));
	if (!there(check, path)) {
		finding_add(check->findings, &no_plugin[check->patient->early],
			    "%s has no %s, by which libcryptsetup opens the token", where(check),
			    path);
		return;
	}
	(void)snprintf(whole, sizeof(whole), "%s%s", check->machine->root, path);
	check_linked(check, whole, "the plugin");
}

static void check_library(struct check *check, const char *value)
{
	static const char required[] = "required ";
	const char *name = value + strlen(required);
	char path[PATH_ROOM];

	if (strncmp(value, required, strlen(required)) != 0)
		return;
	if (!has_library(check, name))
		finding_add(check->findings, &no_library[check->patient->early],
			    "%s has no %s, which the token's policy is met by", where(check), name);
	else if (find_library(check, name, path))
		check_linked(check, path, name);
}

/* Drivers of this machine's network devices; `ret_found` says whether the image has one. */
static size_t look_for_drivers(const struct check *check, char ret_name[64], bool *ret_found)
{
	char pattern[PATH_ROOM];
	size_t n = 0;
	glob_t found;

	(void)snprintf(pattern, sizeof(pattern), "%s/sys/class/net/*/device/driver/module",
		       check->machine->root);
	*ret_found = false;
	if (glob(pattern, GLOB_NOESCAPE, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *path = realpath(found.gl_pathv[i], NULL);

		if (path) {
			(void)snprintf(ret_name, 64, "%s", basename(path));
			n++;
			*ret_found = *ret_found ||
				     initrd_has_module(&check->machine->image, "", ret_name);
		}
		free(path);
	}
	globfree(&found);
	return n;
}

static void check_network(struct check *check, const char *url)
{
	static const char *const stacks[] = {
		"/usr/lib/systemd/systemd-networkd",
		"/lib/systemd/systemd-networkd",
		"/usr/sbin/NetworkManager",
		"/usr/bin/NetworkManager",
		"/usr/sbin/ifup",
		"/usr/bin/connmand",
	};
	const struct machine *machine = check->machine;
	char driver[64];
	bool found;

	if (!check->patient->early || check->networked)
		return;
	check->networked = true;

	if (machine->image_by_dracut && !any_there(check, stacks, ARRAY_SIZE(stacks)))
		finding_add(check->findings, &no_network,
			    "%s is to be asked, and nothing in the image brings up a network", url);
	else if (machine->image_by_dracut && !machine_asks(machine, "rd.neednet=1") &&
		 !machine_asks(machine, "rd.neednet=yes") && !machine_asks(machine, "ip="))
		finding_add(check->findings, &not_asked,
			    "%s is to be asked, and neither the kernel command line nor the image "
			    "asks for the network by rd.neednet=1 or ip=",
			    url);

	if (initrd_has_modules(&machine->image) && look_for_drivers(check, driver, &found) > 0 &&
	    !found)
		finding_add(check->findings, &no_network_driver,
			    "the image has no driver of this machine's network devices, such as %s",
			    driver);
}

/* Whether a text has the name as a word outside of comments. */
static bool knows_name(const char *hosts, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = hosts; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
		size_t len = strcspn(at, "#\n");

		for (size_t i = 1; i + n <= len; i++)
			if (strncasecmp(at + i, name, n) == 0 &&
			    isspace((unsigned char)at[i - 1]) &&
			    (i + n == len || isspace((unsigned char)at[i + n])))
				return true;
	}
	return false;
}

static void check_name(struct check *check, const char *name)
{
	static const char *const resolved[] = {"/usr/lib/systemd/systemd-resolved",
					       "/lib/systemd/systemd-resolved"};
	static const char *const networkd[] = {"/usr/lib/systemd/systemd-networkd",
					       "/lib/systemd/systemd-networkd"};

	if (!check->patient->early ||
	    knows_name(initrd_text(&check->machine->image, "/etc/hosts"), name))
		return;
	/* All others write /etc/resolv.conf themselves. */
	if (check->machine->image_by_dracut && any_there(check, networkd, ARRAY_SIZE(networkd)) &&
	    !any_there(check, resolved, ARRAY_SIZE(resolved)))
		finding_add(check->findings, &no_name,
			    "the name %s cannot be resolved in the image, which has neither "
			    "systemd-resolved nor the name in its /etc/hosts",
			    name);
}

static void check_bundle(struct check *check, const char *url)
{
	static const char *const files[] = {"/etc/ssl/certs/ca-certificates.crt",
					    "/etc/pki/tls/certs/ca-bundle.crt",
					    "/etc/ssl/cert.pem"};

	if (!any_there(check, files, ARRAY_SIZE(files)))
		finding_add(check->findings, &no_bundle[check->patient->early],
			    "%s is https, and %s has no CA certificates that could vouch for it",
			    url, where(check));
}

static void check_file(struct check *check, const char *path)
{
	if (!there(check, path))
		finding_add(check->findings, &no_file[check->patient->early],
			    "%s has no %s, which the token names", where(check), path);
}

static void check_module(struct check *check, const char *module)
{
	char whole[PATH_ROOM];

	(void)snprintf(whole, sizeof(whole), "%s%s", check->machine->root, module);
	check_file(check, module);
	check_linked(check, whole, module);
}

/* The module that drives this machine's TPM; empty where that is not known. */
static void tpm_module(const char *root, char ret[64])
{
	char path[PATH_ROOM], *real;

	ret[0] = '\0';
	(void)snprintf(path, sizeof(path), "%s/sys/class/tpm/tpm0/device/driver/module", root);
	real = realpath(path, NULL);
	if (real)
		(void)snprintf(ret, 64, "%s", basename(real));
	free(real);
}

static void check_drivers(struct check *check, const char *folder)
{
	char module[64];

	if (!check->patient->early || !initrd_has_modules(&check->machine->image))
		return;
	tpm_module(check->machine->root, module);
	if (!initrd_has_module(&check->machine->image, folder, module[0] ? module : NULL))
		finding_add(check->findings, &no_tpm, "the image has no driver for %s%s%s",
			    module[0] ? "this machine's TPM (" : "TPMs", module,
			    module[0] ? ")" : "");
}

static void check_measure(struct check *check, const char *pcr)
{
	static const char *const programs[] = {"/usr/libexec/cotter-pcr15", "/usr/lib/cotter-pcr15",
					       "/usr/local/libexec/cotter-pcr15"};

	if (check->patient->early && !any_there(check, programs, ARRAY_SIZE(programs)))
		finding_add(check->findings, &no_pcr15,
			    "the image has no cotter-pcr15, so that what the TPM gives before PCR "
			    "%s is extended it gives later too",
			    pcr);
}

static void check_line(struct check *check, const char *line)
{
	static const struct {
		const char *word;
		void (*look)(struct check *check, const char *value);
	} words[] = {
		{"plugin ", check_plugin},   {"library ", check_library},
		{"network ", check_network}, {"name ", check_name},
		{"bundle ", check_bundle},   {"file ", check_file},
		{"drivers ", check_drivers}, {"measure ", check_measure},
		{"module ", check_module},   {"secret ", check_file},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strncmp(line, words[i].word, strlen(words[i].word)) == 0)
			words[i].look(check, line + strlen(words[i].word));
}

static void unusable_sink(void *to, enum log_level level, const char *line)
{
	struct findings *findings = to;

	if (level == LOG_LEVEL_ERROR)
		finding_add(findings, &unusable, "%s", line);
}

/* Lines may come more than once. */
static void check_lines(struct check *check, char *text)
{
	CLEANUP_JSON json_t *seen = json_object();
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (json_object_get(seen, line))
			continue;
		(void)json_object_set_new(seen, line, json_true());
		check_line(check, line);
	}
}

int doctor_needs(const struct machine *machine, const struct patient *patient,
		 const struct item *item, struct findings *findings)
{
	/* What may go into an image matters there alone. */
	const struct log log = {.sink = patient->early ? unusable_sink : NULL, .to = findings};
	CLEANUP_JSON json_t *linked = json_object();
	struct check check = {
		.machine = machine, .patient = patient, .findings = findings, .linked = linked};
	CLEANUP(free_text) char *text = NULL;
	struct needs needs = {.plugins = machine->plugins, .log = &log};
	size_t size;
	int r;

	needs.to = open_memstream(&text, &size);
	if (!needs.to)
		return -ENOMEM;
	r = needs_token(&needs, &item->token);
	if (fclose(needs.to) == EOF || r == -ENOMEM || r == -EIO)
		return -ENOMEM;

	/* Of one that names a file that is no good all else was still to be said. */
	check_lines(&check, text);
	return 0;
}
