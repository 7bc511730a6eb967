/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an initramfs must hold so that a token's policy can be met there, as lines for the programs that
 * build such images:
 *
 *	plugin FILE              the token's plugin
 *	library PRIORITY SONAME  what a pin loads with dlopen(); PRIORITY is "required" or weaker
 *	network URL              a network; this leaf asks for it
 *	name HOST                resolution of this name
 *	bundle URL               the system's CA certificates
 *	file PATH                this file, under its own path
 *	secret PATH              this file, in an image that only root may read
 *	module PATH              this PKCS #11 module, and what it needs to speak with its cards
 *	drivers FOLDER           the kernel modules of this folder
 *	measure PCR              cotter-pcr15, since the policy wants this PCR as it is when a machine starts
 */
#pragma once

#include "token/token.h"

#include <stdio.h>

/* Where the lines go. `plugins` is libcryptsetup's folder of plugins, NULL where it has none. */
struct needs {
	FILE *to;
	const char *plugins;
	const struct log *log;
};

/*
 * Writes the lines of a token, some perhaps more than once. What a header names is anyone's writing and
 * an image is readable to many: a file that not everybody may read is refused. The cause of a failure
 * goes to the log at ERROR. Errors: -EPERM (such a file), -ENOENT (no such file), -ENOMEM, -EIO.
 */
MUST int needs_token(const struct needs *needs, const struct token *token);

/* Writes what any token may need, for images that are not made for one machine: no names, no files. */
MUST int needs_all(const struct needs *needs);
