/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cotter-needs: what an initramfs must hold for the tokens of a volume; see units/needs.h. */
#include "token/handler.h"
#include "units/needs.h"

#include <errno.h>

static void sink(void *to, enum log_level level, const char *line)
{
	if (level == LOG_LEVEL_ERROR)
		(void)fprintf(stderr, "cotter-needs: %s: %s\n", (const char *)to, line);
}

static void no_log(int level, const char *line, void *to)
{
	(void)level;
	(void)line;
	(void)to;
}

static void free_device(struct crypt_device **cd)
{
	crypt_free(*cd);
}

/* Tokens that cannot be used, here or in the initramfs, need nothing. */
static int print_token(const struct needs *needs, struct crypt_device *cd, int id)
{
	CLEANUP(token_done) struct token token = {0};
	const char *type, *json;
	int r;

	if (crypt_token_status(cd, id, &type) < CRYPT_TOKEN_INTERNAL || !token_type_pin(type) ||
	    crypt_token_json_get(cd, id, &json) < 0)
		return 0;

	r = token_parse(ref_str(json), needs->log, &token);
	if (r == -ENOMEM)
		return r;
	return r < 0 || token.n_keyslots == 0 ? 0 : needs_token(needs, &token);
}

static int print_volume(struct needs *needs, char *device, const char *header)
{
	const struct log log = {.sink = sink, .to = device};
	CLEANUP(free_device) struct crypt_device *cd = NULL;
	int r = 0;

	if (crypt_init_data_device(&cd, header ? header : device, device) < 0)
		return log_err(&log, -ENOENT, "cannot be read");
	crypt_set_log_callback(cd, no_log, NULL);
	if (crypt_load(cd, CRYPT_LUKS2, NULL) < 0)
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
