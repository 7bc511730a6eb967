/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unlocks with an existing credential. */
#include "enroll/unlock.h"

#include "enroll/ask.h"
#include "enroll/output.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { TRIES = 3 };

static bool is_stdin(const char *file)
{
	return strcmp(file, "-") == 0;
}

int unlock_possible(const struct options *options, const struct log *log)
{
	const char *file = options->unlock_key_file;

	if (file && !is_stdin(file) && access(file, R_OK) < 0)
		return log_err(log, -ENOENT, "the key file %s cannot be read: %s", file,
			       strerror(errno));
	if (file || options->unlock_token || ask_possible())
		return 0;
	return log_err(log, -ENOTTY,
		       "there is no terminal to ask for a passphrase; give "
		       "--unlock-key-file=FILE or --unlock-token");
}

int unlock_ask(struct luks *luks, unlock_try *opens, void *arg, struct buf *ret)
{
	char prompt[LOG_LINE_MAX];

	(void)snprintf(prompt, sizeof(prompt), "Passphrase of %s: ", luks->name);
	for (int i = 0; i < TRIES; i++) {
		CLEANUP(buf_done) struct buf passphrase = {0};
		int r;

		r = ask_secret(prompt, &passphrase);
		if (r < 0)
			return log_err(luks->log, r, "no passphrase was entered");
		r = opens(luks, buf_ref(&passphrase), arg);
		if (r == 0)
			*ret = TAKE_STRUCT(passphrase);
		if (r != -EPERM)
			return r;
		if (i + 1 < TRIES)
			output_warn("this passphrase opens no keyslot; try again");
	}
	return log_err(luks->log, -EPERM, "the passphrase opens no keyslot of %s", luks->name);
}

static int try_passphrase(struct luks *luks, struct ref passphrase, void *ret_key)
{
	return luks_unlock_by_passphrase(luks, passphrase, ret_key);
}

static int by_passphrase(struct luks *luks, struct buf *ret)
{
	CLEANUP(buf_done) struct buf passphrase = {0};

	return unlock_ask(luks, try_passphrase, ret, &passphrase);
}

static int by_key_file(struct luks *luks, const char *file, struct buf *ret)
{
	int r;

	r = luks_unlock_by_key_file(luks, file, ret);
	if (r != -EPERM)
		return r;
	return log_err(
		luks->log, r,
		"the key %s%s opens no keyslot of %s (if it is a passphrase: a newline at its "
		"end counts)",
		is_stdin(file) ? "on standard input" : "in ", is_stdin(file) ? "" : file,
		luks->name);
}

static int by_token(struct luks *luks, struct buf *ret)
{
	char prompt[LOG_LINE_MAX];
	int r;

	(void)snprintf(prompt, sizeof(prompt), "PIN of a token of %s: ", luks->name);
	r = luks_unlock_by_token(luks, (struct ref){0}, ret);
	if (r == -ENOANO && !ask_possible())
		return log_err(luks->log, r,
			       "a token of %s takes a PIN, and there is no terminal to ask for it",
			       luks->name);
	for (int i = 0; i < TRIES && r == -ENOANO; i++) {
		CLEANUP(buf_done) struct buf user_pin = {0};

		if (ask_secret(prompt, &user_pin) < 0)
			return log_err(luks->log, -ENOANO, "no PIN was entered");
		r = luks_unlock_by_token(luks, buf_ref(&user_pin), ret);
	}
	if (r < 0)
		return log_err(luks->log, r, "no token opens %s now", luks->name);
	return 0;
}

int unlock(struct luks *luks, const struct options *options, struct buf *ret)
{
	if (options->unlock_token)
		return by_token(luks, ret);
	if (options->unlock_key_file)
		return by_key_file(luks, options->unlock_key_file, ret);
	return by_passphrase(luks, ret);
}
