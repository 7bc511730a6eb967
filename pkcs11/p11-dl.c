/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads p11-kit and says so in an ELF note, for whoever builds packages and initramfs images. */
#include "pkcs11/p11-dl.h"

#include "crypto/dlopen-note.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#define P11_SONAME "libp11-kit.so.0"

DLOPEN_NOTE(DLOPEN_NOTE_ENTRY("pkcs11", "Unlocking with a smart card", "required", P11_SONAME));

/* The name of a function that is missing, or NULL. */
static const char *find_symbols(struct libp11 *lib)
{
	const char *missing = NULL;
	void *symbol;

#define LIBP11_FIND(name)                    \
	symbol = dlsym(lib->library, #name); \
	missing = symbol ? missing : #name;  \
	memcpy(&lib->name, &symbol, sizeof(symbol));

	LIBP11_FUNCTIONS(LIBP11_FIND)
	return missing;
}

int libp11_open(const struct log *log, struct libp11 *ret)
{
	/* NODELETE: it has handlers for fork() and exit(). */
	struct libp11 lib = {.library = dlopen(P11_SONAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)};
	const char *missing;

	if (!lib.library)
		return log_err(log, -EOPNOTSUPP,
			       "pkcs11: a card cannot be used without p11-kit: %s", dlerror());
	missing = find_symbols(&lib);
	if (missing) {
		libp11_close(&lib);
		return log_err(log, -EOPNOTSUPP, "pkcs11: p11-kit is too old: it has no %s()",
			       missing);
	}

	lib.p11_kit_be_quiet();
	*ret = lib;
	return 0;
}

void libp11_close(struct libp11 *lib)
{
	if (lib->library)
		(void)dlclose(lib->library);
	*lib = (struct libp11){0};
}
