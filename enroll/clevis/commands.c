/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of commands. */
#include "enroll/clevis/command.h"

#include <stdio.h>
#include <string.h>

const struct command commands[] = {
	{"decrypt", "Decrypts using the policy defined at encryption time", command_decrypt},
	{NULL, NULL, NULL},
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

int command_usage(const char *const texts[], int code)
{
	for (size_t i = 0; texts[i]; i++)
		(void)fputs(texts[i], stderr);
	return code;
}
