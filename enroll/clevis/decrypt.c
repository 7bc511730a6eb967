/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clevis decrypt. */
#include "enroll/clevis/command.h"

int command_decrypt(struct context *context, int argc, char **argv)
{
	static const char *const usage[] = {"\nUsage: clevis decrypt < JWE > PLAINTEXT\n\n", NULL};

	(void)context;
	(void)argc;
	(void)argv;
	return command_usage(usage, CLEVIS_USAGE);
}
