/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands about volumes have in common: their options, and the volume that they are about. */
#pragma once

#include "crypto/js.h"
#include "enroll/clevis/command.h"
#include "enroll/clevis/volume.h"

/* The options that are given, a letter each; borrowed. */
struct arguments {
	const char
		*values['z' +
			1]; /* of those that take one; "" of those that do not; NULL: not given */
	int next;           /* the first argument that is none */
};

/* As getopt(3) has `options`. Errors: -EINVAL (an unknown one, or one without its value), untold. */
MUST int arguments_read(int argc, char **argv, const char *options, struct arguments *ret);

/* Whether the options that a binding is named by, -d and -s, are given; the first that is not is told. */
MUST bool arguments_name_binding(const struct context *context, const struct arguments *arguments);

/*
 * The command's volume, opened, and, where `ret_slot` is set, the slot of a binding that -s names. Reasons go to the
 * context's log. Errors: -ENODEV, -EINVAL (no such slot), -ENOENT (no binding there), -EBADMSG, others of
 * volume_load().
 */
MUST int arguments_open(struct context *context, const struct arguments *arguments, bool to_write,
			struct volume *ret, unsigned *ret_slot);

/* The slot of a binding that -s names. Errors: as above. */
MUST int arguments_slot(const struct arguments *arguments, struct volume *volume, unsigned *ret);

/* What the binding at `slot` says it is bound to; the strings end with the objects. */
struct bound_to {
	char *jwe;       /* compact */
	json_t *hdr;     /* its protected header */
	const char *pin; /* in `hdr` */
	json_t *config;  /* NULL: the pin is unknown */
};

void bound_to_done(struct bound_to *bound_to);

/* Errors: those of volume_format.jwe and bound_config_of(), untold. */
MUST int bound_to_read(struct volume *volume, unsigned slot, struct bound_to *ret);
