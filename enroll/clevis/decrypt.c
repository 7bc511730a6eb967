/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clevis decrypt, by whatever pin the JWE names, and clevis decrypt PIN. */
#include "crypto/b64.h"
#include "enroll/clevis/command.h"
#include "enroll/clevis/external.h"
#include "enroll/clevis/input.h"
#include "enroll/clevis/sealing.h"
#include "enroll/clevis/usage.h"
#include "token/token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The pin's name in the header of a compact JWE, in memory that the caller frees; NULL where there is none. */
static char *pin_of(struct ref text)
{
	CLEANUP(buf_done) struct buf header = {0};
	CLEANUP_JSON json_t *hdr = NULL;
	const uint8_t *dot;
	const char *pin;

	while (text.n > 0 && memchr(" \t\r\n", text.p[0], 4))
		text = (struct ref){text.p + 1, text.n - 1};
	dot = text.n > 0 ? memchr(text.p, '.', text.n) : NULL;
	if (!dot || b64_decode((struct ref){text.p, (size_t)(dot - text.p)}, &header) < 0 ||
	    js_load(buf_ref(&header), &hdr) < 0)
		return NULL;
	pin = js_str(json_object_get(hdr, "clevis"), "pin");
	return pin ? strdup(pin) : NULL;
}

static int open_jwe(const struct log *log, struct ref text)
{
	CLEANUP(buf_done) struct buf plaintext = {0};
	int r;

	r = sealing_open(text, log, &plaintext);
	if (r < 0)
		return r;
	r = output_write(buf_ref(&plaintext));
	return r < 0 ? log_err(log, r, "the plaintext cannot be written: %s", strerror(-r)) : 0;
}

/* Another's pin gets all of the JWE, which need not be of a kind that we know. Returns only to fail. */
static int hand_over(const struct log *log, const char *pin, struct ref text)
{
	CLEANUP(free_text) char *name = NULL;
	CLEANUP(free_text) char *path = NULL;

	if (asprintf(&name, "decrypt-%s", pin) < 0)
		return -ENOMEM;
	path = external_find(name);
	if (!path)
		return log_err(log, -EOPNOTSUPP,
			       "the JWE is for the pin \"%.64s\", which neither cotter has nor a "
			       "program clevis-decrypt-%.64s on PATH",
			       pin, pin);
	external_exec_input(path, text);
	return log_err(log, -EIO, "%.200s cannot be run: %s", path, strerror(errno));
}

static bool is_ours(const char *pin)
{
	const struct pin *found = pin_by_name(pins, pin);

	return found && !found->stands_for;
}

/* `wanted` NULL: any pin. */
static int decrypt(const struct log *log, const char *wanted)
{
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(free_text) char *pin = NULL;
	int r;

	r = input_read(&text);
	if (r == -E2BIG)
		return log_err(log, r, "the JWE is longer than %d MiB", INPUT_MAX >> 20);
	if (r < 0)
		return log_err(log, r, "the JWE cannot be read: %s", strerror(-r));
	pin = pin_of(buf_ref(&text));
	if (!pin)
		return log_err(log, -EBADMSG,
			       "the input is not a compact JWE whose header names a pin "
			       "(\"clevis.pin\")");
	if (wanted && strcmp(pin, wanted) != 0)
		return log_err(log, -EBADMSG, "the JWE is for the pin \"%.64s\", not \"%s\"", pin,
			       wanted);
	return is_ours(pin) ? open_jwe(log, buf_ref(&text)) : hand_over(log, pin, buf_ref(&text));
}

int command_decrypt(struct context *context, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (isatty(STDIN_FILENO))
		return command_usage(usage_decrypt, CLEVIS_USAGE);
	return decrypt(&context->log, NULL) < 0 ? CLEVIS_FAILED : CLEVIS_OK;
}

static bool is_summary(int argc, char **argv)
{
	return argc == 2 && strcmp(argv[1], "--summary") == 0;
}

static int decrypt_by(struct context *context, const char *pin)
{
	return decrypt(&context->log, pin) < 0 ? CLEVIS_FAILED : CLEVIS_OK;
}

int command_decrypt_pkcs11(struct context *context, int argc, char **argv)
{
	if (is_summary(argc, argv))
		return CLEVIS_USAGE;
	if (isatty(STDIN_FILENO))
		return command_usage(usage_decrypt_pkcs11, CLEVIS_USAGE);
	return decrypt_by(context, "pkcs11");
}

int command_decrypt_tang(struct context *context, int argc, char **argv)
{
	if (is_summary(argc, argv))
		return CLEVIS_USAGE;
	if (isatty(STDIN_FILENO))
		return command_usage(usage_decrypt_tang, CLEVIS_USAGE);
	return decrypt_by(context, "tang");
}

int command_decrypt_tpm2(struct context *context, int argc, char **argv)
{
	if (is_summary(argc, argv))
		return CLEVIS_USAGE;
	if (isatty(STDIN_FILENO))
		return command_usage(usage_decrypt_tpm2, CLEVIS_USAGE);
	return decrypt_by(context, "tpm2");
}

int command_decrypt_sss(struct context *context, int argc, char **argv)
{
	if (is_summary(argc, argv))
		return CLEVIS_FAILED;
	if (argc != 1 || isatty(STDIN_FILENO))
		return command_usage(usage_decrypt_sss, CLEVIS_FAILED);
	return decrypt_by(context, "sss");
}

int command_decrypt_null(struct context *context, int argc, char **argv)
{
	if (is_summary(argc, argv))
		return CLEVIS_USAGE;
	return decrypt_by(context, "null");
}
