/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads tpm2-tss and says so in an ELF note, for whoever builds packages and initramfs images. */
#include "tpm/tss-dl.h"

#include "crypto/dlopen-note.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tss2/tss2_rc.h>

#define ESYS_SONAME    "libtss2-esys.so.0"
#define TCTILDR_SONAME "libtss2-tctildr.so.0"
#define DEVICE_SONAME  "libtss2-tcti-device.so.0" /* loaded by libtss2-tctildr */
#define RC_SONAME      "libtss2-rc.so.0"

#define NOTE(priority, soname) DLOPEN_NOTE_ENTRY("tpm2", "Unlocking with the TPM", priority, soname)
#define ESYS_NOTE              NOTE("required", ESYS_SONAME)
#define TCTILDR_NOTE           NOTE("required", TCTILDR_SONAME)
#define DEVICE_NOTE            NOTE("required", DEVICE_SONAME)
#define RC_NOTE                NOTE("suggested", RC_SONAME)

DLOPEN_NOTE(ESYS_NOTE "," TCTILDR_NOTE "," DEVICE_NOTE "," RC_NOTE);

/* NODELETE: OpenSSL, which ESYS uses, has exit handlers of its own. */
static void *load(const char *soname)
{
	return dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

/* The name of a function that is missing, or NULL. */
static const char *find_symbols(struct libtss *tss)
{
	const char *missing = NULL;
	void *symbol;

#define LIBTSS_FIND(library, name, member)  \
	symbol = dlsym(tss->library, name); \
	missing = symbol ? missing : name;  \
	memcpy(&tss->member, &symbol, sizeof(symbol));
#define LIBTSS_FIND_COMMAND(name)                                       \
	LIBTSS_FIND(esys_library, "Esys_" #name "_Async", name##_Async) \
	LIBTSS_FIND(esys_library, "Esys_" #name "_Finish", name##_Finish)
#define LIBTSS_FIND_ESYS(name)    LIBTSS_FIND(esys_library, #name, name)
#define LIBTSS_FIND_TCTILDR(name) LIBTSS_FIND(tctildr_library, #name, name)

	LIBTSS_COMMANDS(LIBTSS_FIND_COMMAND)
	LIBTSS_ESYS(LIBTSS_FIND_ESYS)
	LIBTSS_TCTILDR(LIBTSS_FIND_TCTILDR)
	return missing;
}

int libtss_open(const struct log *log, struct libtss *ret)
{
	struct libtss tss = {.esys_library = load(ESYS_SONAME)};
	const char *missing;

	if (tss.esys_library)
		tss.tctildr_library = load(TCTILDR_SONAME);
	if (!tss.esys_library || !tss.tctildr_library) {
		const char *why = dlerror();

		libtss_close(&tss);
		return log_err(log, -EOPNOTSUPP, "a TPM cannot be used without tpm2-tss: %s", why);
	}
	missing = find_symbols(&tss);
	if (missing) {
		libtss_close(&tss);
		return log_err(log, -EOPNOTSUPP, "tpm2-tss is too old: it has no %s()", missing);
	}

	*ret = tss;
	return 0;
}

void libtss_close(struct libtss *tss)
{
	if (tss->esys_library)
		(void)dlclose(tss->esys_library);
	if (tss->tctildr_library)
		(void)dlclose(tss->tctildr_library);
	*tss = (struct libtss){0};
}

void libtss_describe(TSS2_RC rc, char *ret, size_t size)
{
	void *library = load(RC_SONAME);
	__typeof__(Tss2_RC_Decode) *decode = NULL;
	void *symbol = library ? dlsym(library, "Tss2_RC_Decode") : NULL;

	memcpy(&decode, &symbol, sizeof(symbol));
	if (decode)
		(void)snprintf(ret, size, "%s, 0x%x", decode(rc), rc);
	else
		(void)snprintf(ret, size, "response code 0x%x", rc);
	if (library)
		(void)dlclose(library);
}
