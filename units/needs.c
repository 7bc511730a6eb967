/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a policy to what an initramfs must hold for it. */
#include "units/needs.h"

#include "units/dlopen-note.h"
#include "units/needs-pin.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Where a policy that systemd's tools sign has its signatures; /run is filled at boot. */
static const char *const signature_files[] = {
	"/etc/systemd/tpm2-pcr-signature.json",
	"/usr/local/lib/systemd/tpm2-pcr-signature.json",
	"/usr/lib/systemd/tpm2-pcr-signature.json",
};

int needs_line(const struct needs *needs, const char *what, const char *value)
{
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return log_err(needs->log, -EPERM,
				       "a token names \"%s\", which cannot be a path", value);
	return fprintf(needs->to, "%s %s\n", what, value) < 0 ? -EIO : 0;
}

int needs_public(const struct needs *needs, const char *path)
{
	CLEANUP(free_text) char *real = realpath(path, NULL);
	struct stat st;

	if (!real)
		return log_err(needs->log, -ENOENT, "%s, which a token names, is missing", path);
	if (stat(real, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & S_IROTH))
		return log_err(needs->log, -EPERM,
			       "%s, which a token names, is not a file that everybody may read, so "
			       "it cannot go into an initramfs",
			       path);

	while (strcmp(dirname(real), "/") != 0)
		if (stat(real, &st) < 0 || !(st.st_mode & S_IXOTH))
			return log_err(needs->log, -EPERM,
				       "%s, which a token names, is in a folder that not everybody "
				       "may enter, so it cannot go into an initramfs",
				       path);
	return 0;
}

int needs_file(const struct needs *needs, const char *path)
{
	int r = needs_public(needs, path);

	return r < 0 ? r : needs_line(needs, "file", path);
}

static int any_tpm2(const struct needs *needs)
{
	return needs_line(needs, "drivers", "drivers/char/tpm");
}

static int needs_tpm2(const struct needs *needs, const json_t *facts)
{
	const char *signature = js_str(facts, "signature");
	int r;

	r = any_tpm2(needs);
	if (r == 0 && js_str(facts, "holds"))
		r = needs_line(needs, "measure", "15");
	if (r == 0 && signature && strncmp(signature, "/run/", strlen("/run/")) != 0)
		r = needs_file(needs, signature);
	if (!js_str(facts, "signed_pcrs"))
		return r;

	for (size_t i = 0; i < ARRAY_SIZE(signature_files) && r == 0; i++) {
		struct stat st;

		if (stat(signature_files[i], &st) == 0)
			r = needs_file(needs, signature_files[i]);
	}
	return r;
}

static const struct pin_needs pin_needs[] = {
#ifdef PIN_PKCS11
	{"pkcs11", needs_pkcs11, needs_any_pkcs11},
#endif
#ifdef PIN_TANG
	{"tang", needs_tang, needs_any_tang},
#endif
	{"tpm2", needs_tpm2, any_tpm2},
};

/* NULL: such nodes need nothing of their own. */
static const struct pin_needs *find(const char *pin)
{
	for (size_t i = 0; i < ARRAY_SIZE(pin_needs); i++)
		if (strcmp(pin_needs[i].pin, pin) == 0)
			return &pin_needs[i];
	return NULL;
}

static int needs_libraries(const struct needs *needs, const char *pin)
{
	CLEANUP_JSON json_t *notes = NULL;
	const json_t *entry, *name;
	size_t i, j;
	int r;

	r = dlopen_notes(&notes);
	json_array_foreach(notes, i, entry) {
		const char *feature = js_str(entry, "feature");
		const char *priority = js_str(entry, "priority");

		if (!feature || strcmp(feature, pin) != 0)
			continue;
		json_array_foreach(json_object_get(entry, "soname"), j, name)
			if (fprintf(needs->to, "library %s %s\n", priority,
				    json_string_value(name)) < 0)
				r = -EIO;
	}
	return r;
}

static int needs_node(const struct needs *needs, const char *pin, const json_t *facts)
{
	const struct pin_needs *of = find(pin);
	const json_t *share;
	size_t i;
	int r;

	r = needs_libraries(needs, pin);
	if (of && r == 0)
		r = of->node(needs, facts);

	json_array_foreach(json_object_get(facts, "shares"), i, share) {
		const char *name = js_str(share, "pin");

		if (r == 0 && name && !json_object_get(share, "unusable"))
			r = needs_node(needs, name, share);
	}
	return r;
}

static int needs_plugin(const struct needs *needs, const char *pin)
{
	char path[1024];

	if (!needs->plugins)
		return log_err(needs->log, -ENOENT, "libcryptsetup was built without plugins");
	if ((size_t)snprintf(path, sizeof(path),
			     "%s/libcryptsetup-token-" TOKEN_TYPE_PREFIX "%s.so", needs->plugins,
			     pin) >= sizeof(path))
		return -ENOMEM;
	return needs_line(needs, "plugin", path);
}

int needs_token(const struct needs *needs, const struct token *token)
{
	CLEANUP_JSON json_t *facts = NULL;
	int r;

	r = token_describe(token, &facts);
	if (r == 0)
		r = needs_plugin(needs, token->pin->name);
	return r < 0 ? r : needs_node(needs, token->pin->name, facts);
}

int needs_all(const struct needs *needs)
{
	int r = 0;

	for (size_t i = 0; pins[i] && r == 0; i++) {
		const struct pin_needs *of = find(pins[i]->name);

		r = needs_plugin(needs, pins[i]->name);
		if (r == 0)
			r = needs_libraries(needs, pins[i]->name);
		if (of && r == 0)
			r = of->any(needs);
	}
	return r;
}
