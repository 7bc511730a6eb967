/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an initramfs image holds, as the kernel would unpack it: one archive after the other. */
#pragma once

#include "crypto/js.h"
#include "crypto/log.h"

/*
 * `files` has a member for each path, without a slash in front: a string for a file of settings (what is in
 * it), an array of one string for a link (where it leads), else true. A zeroed struct is of nothing.
 */
struct initrd {
	json_t *files;
};

/*
 * Reads an image. What is wrong goes to `log` as one sentence. Errors: -ENOENT (it is not there, or what
 * unpacks it), -EBADMSG (it is no image, damaged, cut off, or its names and texts fill memory), -EIO, -ENOMEM.
 */
MUST int initrd_read(const char *path, const struct log *log, struct initrd *ret);

void initrd_done(struct initrd *initrd);

/* Whether a path, which begins with a slash, leads to something, all links followed. */
bool initrd_has(const struct initrd *initrd, const char *path);

/* The text of a file of settings, borrowed; NULL where the path leads to none. */
const char *initrd_text(const struct initrd *initrd, const char *path);

/*
 * Whether the image has kernel modules at all, and whether it has the module of this name, as a file or in the
 * kernel; a NULL name is any module of the folder, such as "drivers/char/tpm".
 */
bool initrd_has_modules(const struct initrd *initrd);
bool initrd_has_module(const struct initrd *initrd, const char *folder, const char *name);
