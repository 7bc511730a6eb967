/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clevis luks pass. */
#include "enroll/clevis/arguments.h"
#include "enroll/clevis/credential.h"

#include <errno.h>
#include <stdio.h>

static const char *const usage[] = {
	"Usage: clevis luks pass -d DEV -s SLT\n\n",
	"Returns the LUKS passphrase used for binding a particular slot.\n\n",
	"  -d DEV  The LUKS device to extract the LUKS passphrase used for binding\n\n",
	"  -s SLOT The slot number to extract the LUKS passphrase\n\n",
	NULL,
};

int command_luks_pass(struct context *context, int argc, char **argv)
{
	struct arguments arguments;
	CLEANUP(volume_done) struct volume volume = {0};
	CLEANUP(buf_done) struct buf secret = {0};
	unsigned slot;
	int r;

	if (arguments_read(argc, argv, "+:d:s:", &arguments) < 0)
		return command_usage(usage, CLEVIS_FAILED);
	if (!arguments_name_binding(context, &arguments))
		return command_usage(usage, CLEVIS_FAILED);

	r = arguments_open(context, &arguments, false, &volume, &slot);
	if (r == 0)
		r = credential_by_slot(&volume, slot, &secret);
	if (r == 0)
		r = ref_write(buf_ref(&secret), STDOUT_FILENO);
	return r < 0 ? CLEVIS_FAILED : CLEVIS_OK;
}
