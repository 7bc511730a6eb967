/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an initramfs must hold for a smart card or HSM. */
#include "pkcs11/pkcs11.h"
#include "units/needs-pin.h"
#include "units/text-file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONFIG_SIZE_MAX = 64 * 1024 };

/* Where p11-kit looks for what is registered with it: the first that knows a name is believed. */
static const char *const config_folders[] = {P11_SYSCONFDIR "/pkcs11/modules", P11_PACKAGE_MODULES};

/* The value of a line "NAME: VALUE"; p NULL where it is none. */
static struct ref value_of(struct ref line, const char *name)
{
	size_t n = strlen(name);

	if (line.n <= n || memcmp(line.p, name, n) != 0 || line.p[n] != ':')
		return (struct ref){0};
	line = (struct ref){line.p + n + 1, line.n - n - 1};
	while (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
		line = (struct ref){line.p + 1, line.n - 1};
	while (line.n > 0 && strchr(" \t\r", line.p[line.n - 1]))
		line.n--;
	return line;
}

int needs_p11_module(struct ref text, char ret[NEEDS_PATH_MAX])
{
	struct ref module = {0};

	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		struct ref line = {text.p, end ? (size_t)(end - text.p) : text.n}, value;

		text = (struct ref){text.p + line.n + (end != NULL),
				    text.n - line.n - (end != NULL)};
		/* One that holds certificates of others holds no keys. */
		value = value_of(line, "trust-policy");
		if (ref_is(value, "yes"))
			return -ENOENT;
		value = value_of(line, "module");
		module = value.p ? value : module;
	}
	if (module.n == 0 || module.n > NEEDS_PATH_MAX / 2 || memchr(module.p, '\0', module.n))
		return -ENOENT;
	(void)snprintf(ret, NEEDS_PATH_MAX, "%s%.*s", module.p[0] == '/' ? "" : P11_MODULES "/",
		       (int)module.n, (const char *)module.p);
	return 0;
}

/* What is registered, but not there, p11-kit leaves out as well. */
static int needs_registered(const struct needs *needs, const char *folder, const char *name,
			    bool *any)
{
	CLEANUP(buf_done) struct buf text = {0};
	char path[NEEDS_PATH_MAX], module[NEEDS_PATH_MAX];
	int r;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path) ||
	    text_file_read(path, CONFIG_SIZE_MAX, &text) < 0 ||
	    needs_p11_module(buf_ref(&text), module) < 0 || access(module, F_OK) != 0)
		return 0;
	*any = true;
	r = needs_file(needs, path);
	return r < 0 ? r : needs_line(needs, "module", module);
}

static int needs_all_registered(const struct needs *needs, bool *any)
{
	static const char settings[] = P11_SYSCONFDIR "/pkcs11/pkcs11.conf";
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(config_folders) && r == 0; i++) {
		DIR *folder = opendir(config_folders[i]);
		const struct dirent *entry;

		while (folder && r == 0 && (entry = readdir(folder))) {
			size_t n = strlen(entry->d_name), suffix = strlen(".module");

			if (n > suffix && strcmp(entry->d_name + n - suffix, ".module") == 0)
				r = needs_registered(needs, config_folders[i], entry->d_name, any);
		}
		if (folder)
			(void)closedir(folder);
	}
	if (r == 0 && access(settings, F_OK) == 0)
		r = needs_file(needs, settings);
	return r;
}

/*
 * In the initramfs all is root's, so who may write to a module is looked at here: it is code, and its
 * name anyone's writing.
 */
static int needs_module(const struct needs *needs, const char *path)
{
	CLEANUP(free_text) char *real = NULL;
	int r;

	r = needs_public(needs, path);
	if (r < 0)
		return r;
	real = pkcs11_settle_path(path);
	if (!real)
		return log_err(needs->log, -EPERM,
			       "%s, which a token names, or a folder above it, can be written to "
			       "by others than root, so it cannot go into an initramfs",
			       path);
	return needs_line(needs, "module", path);
}

/* The rules are those of the pin, which would not read another. */
static int needs_pin_file(const struct needs *needs, const char *path)
{
	size_t n = strlen(path), suffix = strlen(".pin");
	struct stat st;

	if (lstat(path, &st) < 0)
		return log_err(needs->log, -ENOENT, "%s, which a token names, is missing", path);
	if (n <= suffix || strcmp(path + n - suffix, ".pin") != 0 || !S_ISREG(st.st_mode) ||
	    st.st_uid != 0 || st.st_mode & (S_IRWXG | S_IRWXO))
		return log_err(
			needs->log, -EPERM,
			"%s, which a token names, cannot go into an initramfs: a file with a "
			"PIN has a name that ends in \".pin\", is root's, and has the mode "
			"0600",
			path);
	return needs_line(needs, "secret", path);
}

int needs_pkcs11(const struct needs *needs, const json_t *facts)
{
	const char *module = js_str(facts, "module"), *pin = js_str(facts, "pin_source");
	bool any = false;
	int r;

	r = module ? needs_module(needs, module) : needs_all_registered(needs, &any);
	if (r == 0 && !module && !any)
		return log_err(needs->log, -ENOENT,
			       "no PKCS #11 module is registered with p11-kit, and a token names "
			       "none");
	if (r == 0 && pin && pin[0] == '/')
		r = needs_pin_file(needs, pin);
	return r;
}

int needs_any_pkcs11(const struct needs *needs)
{
	bool any = false;

	return needs_all_registered(needs, &any);
}
