/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads libcurl and says so in an ELF note, for whoever builds packages and initramfs images. */
#include "tang/curl-dl.h"

#include "crypto/dlopen-note.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#define SONAME "libcurl.so.4"

DLOPEN_NOTE(DLOPEN_NOTE_ENTRY("tang", "Reaching Tang servers over HTTP", "required", SONAME));

/* The name of a function that is missing, or NULL. */
static const char *find_symbols(struct libcurl *curl)
{
	const char *missing = NULL;
	void *symbol;

#define LIBCURL_FIND(name)                            \
	symbol = dlsym(curl->library, "curl_" #name); \
	missing = symbol ? missing : "curl_" #name;   \
	memcpy(&curl->name, &symbol, sizeof(symbol));

	LIBCURL_SYMBOLS(LIBCURL_FIND)
#undef LIBCURL_FIND
	return missing;
}

/* NODELETE: a resolver thread of libcurl may live longer than the caller. */
int libcurl_open(const struct log *log, struct libcurl *ret)
{
	/* Of the thousands of symbols that its libraries take of each other few are needed: 5 ms. */
	struct libcurl curl = {.library = dlopen(SONAME, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE)};
	const char *missing;

	if (!curl.library)
		return log_err(log, -EOPNOTSUPP,
			       "Tang servers cannot be reached without libcurl: %s", dlerror());

	missing = find_symbols(&curl);
	if (missing) {
		(void)dlclose(curl.library);
		return log_err(log, -EOPNOTSUPP, SONAME " is too old: it has no %s()", missing);
	}
	if (!(curl.version_info(CURLVERSION_NOW)->features & CURL_VERSION_THREADSAFE)) {
		(void)dlclose(curl.library);
		return log_err(log, -EOPNOTSUPP,
			       "this build of " SONAME " cannot be initialised safely in a "
			       "process that has threads");
	}
	if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		(void)dlclose(curl.library);
		return log_err(log, -ENOMEM, SONAME " cannot be initialised");
	}

	*ret = curl;
	return 0;
}

void libcurl_close(struct libcurl *curl)
{
	if (!curl->library)
		return;

	curl->global_cleanup();
	(void)dlclose(curl->library);
	*curl = (struct libcurl){0};
}
