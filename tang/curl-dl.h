/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libcurl, loaded when the first request is made: it and its libraries cost 12 MB of locked memory. */
#pragma once

#include "crypto/log.h"

#include <curl/curl.h>

/* The functions that are used, without their prefix: some of the full names are macros. */
#define LIBCURL_SYMBOLS(M)     \
	M(easy_cleanup)        \
	M(easy_getinfo)        \
	M(easy_init)           \
	M(easy_pause)          \
	M(easy_setopt)         \
	M(easy_strerror)       \
	M(global_cleanup)      \
	M(global_init)         \
	M(multi_add_handle)    \
	M(multi_cleanup)       \
	M(multi_info_read)     \
	M(multi_init)          \
	M(multi_remove_handle) \
	M(multi_setopt)        \
	M(multi_socket_action) \
	M(slist_append)        \
	M(slist_free_all)      \
	M(version_info)

/* The loaded library; a zeroed struct is none. */
struct libcurl {
	void *library;
#define LIBCURL_MEMBER(name) __typeof__(curl_##name) *(name);
	LIBCURL_SYMBOLS(LIBCURL_MEMBER)
#undef LIBCURL_MEMBER
};

/*
 * Loads and initialises libcurl. The cause of a failure goes to `log` at ERROR. Errors: -EOPNOTSUPP
 * (not installed, too old, or built so that its initialisation is not thread-safe), -ENOMEM.
 */
MUST int libcurl_open(const struct log *log, struct libcurl *ret);

/* Gives back what libcurl_open() took; the library itself stays mapped. Takes zeroed structs too. */
void libcurl_close(struct libcurl *curl);
