/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an initramfs must hold for the leaves of one pin. */
#pragma once

#include "units/needs.h"

enum { NEEDS_PATH_MAX = 1024 };

/* A line. Errors: -EPERM (a control character), -EIO. */
MUST int needs_line(const struct needs *needs, const char *what, const char *value);

/* The line of a file that a header names. Errors: those of needs_token(). */
MUST int needs_file(const struct needs *needs, const char *path);

/* Whether everybody may read such a file. Errors: those of needs_token(). */
MUST int needs_public(const struct needs *needs, const char *path);

struct pin_needs {
	const char *pin;

	/* For a leaf that is described by `facts`. Errors: those of needs_token(). */
	int (*node)(const struct needs *needs, const json_t *facts);

	/* For any leaf. */
	int (*any)(const struct needs *needs);
};

MUST int needs_pkcs11(const struct needs *needs, const json_t *facts);
MUST int needs_any_pkcs11(const struct needs *needs);

/*
 * The module that a file of p11-kit's configuration registers. Errors: -ENOENT (none, or none that
 * has keys).
 */
MUST int needs_p11_module(struct ref text, char ret[NEEDS_PATH_MAX]);

MUST int needs_tang(const struct needs *needs, const json_t *facts);
MUST int needs_any_tang(const struct needs *needs);
