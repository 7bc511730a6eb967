/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* p11-kit, loaded when a card is wanted: most machines' volumes are unlocked without it. */
#pragma once

#include "crypto/log.h"

#include <p11-kit/p11-kit.h>

#define LIBP11_FUNCTIONS(M)                     \
	M(p11_kit_be_quiet)                     \
	M(p11_kit_module_finalize)              \
	M(p11_kit_module_initialize)            \
	M(p11_kit_module_load)                  \
	M(p11_kit_module_release)               \
	M(p11_kit_modules_finalize_and_release) \
	M(p11_kit_modules_load_and_initialize)  \
	M(p11_kit_strerror)

/* The loaded library; a zeroed struct is none. */
struct libp11 {
	void *library;
#define LIBP11_MEMBER(name) __typeof__(name) *(name);
	LIBP11_FUNCTIONS(LIBP11_MEMBER)
#undef LIBP11_MEMBER
};

/*
 * Loads the library, and keeps it from writing to stderr. The cause of a failure goes to `log` at ERROR.
 * Errors: -EOPNOTSUPP (not installed, or too old).
 */
MUST int libp11_open(const struct log *log, struct libp11 *ret);

/* Gives back what libp11_open() took; the library stays mapped. Takes zeroed structs too. */
void libp11_close(struct libp11 *lib);
