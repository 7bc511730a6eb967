/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel command line says of volumes, as systemd-cryptsetup-generator(8) reads it: luks=
 * and its kin, which count everywhere, and the same with "rd." before, which count in the
 * initramfs.
 */
#pragma once

#include "crypto/buf.h"
#include "crypto/log.h"

/* Of one UUID. What was not said is empty. */
struct cmdline_volume {
	struct ref uuid, name, device, key, options;
	bool create; /* luks.uuid= or luks.name= ask for it */
};

/* Where luks.uuid= or luks.name= name volumes, crypttab's others are left alone. */
struct cmdline {
	bool disabled;    /* luks=no: no volume at all */
	bool no_crypttab; /* luks.crypttab=no */
	bool selective;
	bool debug;              /* "debug" or systemd.log_level=debug */
	struct ref key, options; /* for volumes that only the command line asks for */
	struct cmdline_volume *volumes;
	size_t n;
	char *words; /* what all this points into */
};

enum { CMDLINE_SIZE_MAX = 64 * 1024 };

/*
 * Reads the whole line. A word that cannot be read is passed over, with a line in `log`. On
 * success the caller ends *ret with cmdline_done(). Errors: -E2BIG, -ENOMEM.
 */
MUST int cmdline_parse(struct ref line, bool initrd, const struct log *log, struct cmdline *ret);

void cmdline_done(struct cmdline *cmdline);

/* What is said of the volume with this UUID; NULL where nothing is. */
const struct cmdline_volume *cmdline_find(const struct cmdline *cmdline, struct ref uuid);

/* 1 or 0 for what systemd takes for yes or no, in any case. Errors: -EINVAL. */
MUST int cmdline_bool(struct ref word);
