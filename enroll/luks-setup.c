/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes libcryptsetup know our tokens in this process. */
#include "enroll/luks.h"

#include "token/handler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	HANDLERS_MAX = 8,
	TYPE_MAX = 32,
};

static void no_log(int level, const char *line, void *usrptr)
{
	(void)level;
	(void)line;
	(void)usrptr;
}

/* Recovers the secret, or hands out the one that waits for its first keyslot; usrptr: luks_given. */
static int open_token(struct crypt_device *cd, int token, char **buffer, size_t *len, void *usrptr)
{
	const struct luks_given *given = usrptr;
	char *copy;

	if (given && given->user_pin.p)
		return handler_open_pin(cd, token, given->user_pin, buffer, len);
	if (!given)
		return handler_open(cd, token, 0, buffer, len);

	copy = malloc(given->secret.n);
	if (!copy)
		return -ENOMEM;

	memcpy(copy, given->secret.p, given->secret.n);
	*buffer = copy;
	*len = given->secret.n;
	return 0;
}

/* libcryptsetup tells it only while it may load plugins. */
static const char *plugins_folder;

const char *luks_plugins_folder(void)
{
	return plugins_folder;
}

int luks_setup(bool others, const struct log *log)
{
	static char types[HANDLERS_MAX][TYPE_MAX]; /* libcryptsetup keeps the pointers */

	crypt_set_log_callback(NULL, no_log, NULL);
	plugins_folder = crypt_token_external_path();
	if (!others)
		crypt_token_external_disable();

	for (size_t i = 0; pins[i]; i++) {
		crypt_token_handler handler = {
			.open = open_token,
			.buffer_free = handler_buffer_free,
			.validate = handler_validate,
			.dump = handler_dump,
		};

		if (i == HANDLERS_MAX)
			return log_err(log, -EIO, "this build has too many pins");
		(void)snprintf(types[i], TYPE_MAX, TOKEN_TYPE_PREFIX "%s", pins[i]->name);
		handler.name = types[i];
		if (crypt_token_register(&handler) < 0)
			return log_err(log, -EIO, "libcryptsetup does not take tokens of type %s",
				       types[i]);
	}
	return 0;
}

int luks_carry(const char *type, const struct log *log)
{
	const crypt_token_handler handler = {
		.name = type,
		.open = open_token,
		.buffer_free = handler_buffer_free,
	};

	if (crypt_token_register(&handler) < 0)
		return log_err(log, -EIO, "libcryptsetup does not take tokens of type %s", type);
	return 0;
}
