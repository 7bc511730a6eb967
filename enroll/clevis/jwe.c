/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clevis luks jwe: what clevis-luks-common-functions reads a binding by; Clevis has no such command. */
#include "enroll/clevis/arguments.h"

#include <errno.h>
#include <stdio.h>

static const char *const usage[] = {
	"\nUsage: clevis luks jwe -d DEV -s SLT\n\n",
	"Prints the JWE of a binding:\n\n",
	"  -d DEV  The LUKS device\n\n",
	"  -s SLT  The slot of the binding\n\n",
	NULL,
};

int command_luks_jwe(struct context *context, int argc, char **argv)
{
	struct arguments arguments;
	CLEANUP(volume_done) struct volume volume = {0};
	CLEANUP(free_text) char *jwe = NULL;
	unsigned slot;
	int r;

	if (arguments_read(argc, argv, "+:d:s:", &arguments) < 0 || !arguments.values['d'] ||
	    !arguments.values['s'])
		return command_usage(usage, CLEVIS_USAGE);

	r = arguments_open(context, &arguments, false, &volume, &slot);
	if (r == 0)
		r = volume.format->jwe(&volume, slot, &jwe);
	return r < 0 || puts(jwe) < 0 || fflush(stdout) == EOF ? CLEVIS_FAILED : CLEVIS_OK;
}
