/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cotter-needs: what an initramfs must hold for the tokens of a volume; see units/needs.h. */
#include "token/luks2.h"
#include "units/needs.h"

#include <errno.h>

static void sink(void *to, enum log_level level, const char *line)
{
	if (level == LOG_LEVEL_ERROR)
		(void)fprintf(stderr, "cotter-needs: %s: %s\n", (const char *)to, line);
}

static void free_device(struct crypt_device **cd)
{
	crypt_free(*cd);
}

/* Tokens that cannot be used, here or in the initramfs, need nothing. */
static int print_token(const struct needs *needs, struct crypt_device *cd, int id)
{
	CLEANUP(token_done) struct token token = {0};
	int r = luks2_token(cd, id, needs->log, &token);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : needs_token(needs, &token);
}

static int print_volume(struct needs *needs, char *device, const char *header)
{
	const struct log log = {.sink = sink, .to = device};
	CLEANUP(free_device) struct crypt_device *cd = NULL;
	int r = luks2_open(device, header, &cd);

	if (r == -ENODEV)
		return log_err(&log, -ENOENT, "cannot be read");
	if (r < 0)
		return 0;

	needs->log = &log;
	for (int id = 0; id < crypt_token_max(CRYPT_LUKS2) && r == 0; id++)
		r = print_token(needs, cd, id);
	return r;
}

int main(int argc, char **argv)
{
	struct needs needs = {.to = stdout, .plugins = crypt_token_external_path()};
	int r;

	if (argc < 2 || argc > 3) {
		(void)fputs("Usage: cotter-needs DEVICE [HEADER]\n"
			    "       cotter-needs --all\n",
			    stderr);
		return 2;
	}

	/* What plugins make of tokens is of no interest here. */
	crypt_token_external_disable();

	if (strcmp(argv[1], "--all") == 0)
		r = needs_all(&needs);
	else
		r = print_volume(&needs, argv[1], argc > 2 ? argv[2] : NULL);
	return r < 0 || fflush(stdout) == EOF ? 1 : 0;
}
