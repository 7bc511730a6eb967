/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clevis encrypt PIN CONFIG [-y]: one file for all pins. */
#include "enroll/clevis/command.h"
#include "enroll/clevis/input.h"
#include "enroll/clevis/pin-config.h"
#include "enroll/clevis/sealing.h"
#include "enroll/clevis/usage.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int write_jwe(const struct jwe *jwe)
{
	CLEANUP(free_text) char *text = NULL;
	int r;

	r = jwe_to_compact(jwe, &text);
	if (r == 0)
		r = output_write(ref_str(text));
	/* For a person alone: files and pipes get the JWE and nothing else. */
	return r == 0 && isatty(STDOUT_FILENO) ? output_write(ref_str("\n")) : r;
}

static int encrypt(const struct log *log, const char *pin, const char *text, bool yes)
{
	CLEANUP_JSON json_t *config = NULL;
	CLEANUP(buf_done) struct buf plaintext = {0};
	CLEANUP(jwe_done) struct jwe jwe = {0};
	struct sealing wish = {.pin = pin, .yes = yes};
	int r;

	r = pin_config_read(pin, text, log, &config);
	if (r < 0)
		return r;
	r = input_read(&plaintext);
	if (r == -E2BIG || plaintext.n > JWE_TEXT_MAX)
		return log_err(log, -E2BIG, "the plaintext is longer than %d MiB",
			       JWE_TEXT_MAX >> 20);
	if (r < 0)
		return log_err(log, r, "the plaintext cannot be read: %s", strerror(-r));

	wish.config = config;
	r = sealing_run(&wish, buf_ref(&plaintext), log, &jwe);
	if (r < 0)
		return r;
	r = write_jwe(&jwe);
	return r < 0 ? log_err(log, r, "the JWE cannot be written: %s", strerror(-r)) : 0;
}

/* As Clevis has it: what is not "-y" there is no option. */
static int encrypt_to(struct context *context, const char *pin, int argc, char **argv)
{
	bool yes = argc > 2 && strcmp(argv[2], "-y") == 0;

	return encrypt(&context->log, pin, argc > 1 ? argv[1] : "", yes) < 0 ? CLEVIS_FAILED
									     : CLEVIS_OK;
}

int command_encrypt_pkcs11(struct context *context, int argc, char **argv)
{
	if (isatty(STDIN_FILENO))
		return command_usage(usage_encrypt_pkcs11, CLEVIS_USAGE);
	return encrypt_to(context, "pkcs11", argc, argv);
}

int command_encrypt_tang(struct context *context, int argc, char **argv)
{
	if (isatty(STDIN_FILENO))
		return command_usage(usage_encrypt_tang, CLEVIS_USAGE);
	return encrypt_to(context, "tang", argc, argv);
}

int command_encrypt_tpm2(struct context *context, int argc, char **argv)
{
	if (isatty(STDIN_FILENO))
		return command_usage(usage_encrypt_tpm2, CLEVIS_USAGE);
	return encrypt_to(context, "tpm2", argc, argv);
}

/* The only one that looks at how many arguments there are, and fails with another status. */
int command_encrypt_sss(struct context *context, int argc, char **argv)
{
	bool odd = argc == 3 && argv[2][0] && strcmp(argv[2], "-y") != 0;

	if (argc < 2 || argc > 3 || odd || (argc == 2 && isatty(STDIN_FILENO)))
		return command_usage(usage_encrypt_sss, CLEVIS_FAILED);
	return encrypt_to(context, "sss", argc, argv);
}

int command_encrypt_null(struct context *context, int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--summary") == 0)
		return CLEVIS_USAGE;
	return encrypt_to(context, "null", argc, argv);
}
