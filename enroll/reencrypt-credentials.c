/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gathers credentials and tries them. */
#include "enroll/reencrypt-credentials.h"

#include "enroll/ask.h"
#include "enroll/output.h"
#include "enroll/trial.h"
#include "enroll/unlock.h"
#include "enroll/user-pin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { TRIES = 3 };

void credentials_done(struct credentials *credentials)
{
	for (size_t i = 0; i < credentials->n; i++)
		buf_done(&credentials->list[i].secret);
	free(credentials->list);
	free(credentials->why);
	*credentials = (struct credentials){0};
}

/* The next place; its secret is the caller's to fill. */
static struct credential *next(struct credentials *credentials, const char *file, int token)
{
	struct credential *credential = &credentials->list[credentials->n++];

	*credential = (struct credential){.file = file, .token = token};
	return credential;
}

static int add_files(struct luks *luks, const struct options *options,
		     struct credentials *credentials)
{
	int r = 0;

	if (options->unlock_key_file)
		r = luks_read_key_file(
			luks, options->unlock_key_file,
			&next(credentials, options->unlock_key_file, LUKS_ANY)->secret);
	for (size_t i = 0; r == 0 && i < options->n_keep_key_files; i++)
		r = luks_read_key_file(
			luks, options->keep_key_files[i],
			&next(credentials, options->keep_key_files[i], LUKS_ANY)->secret);
	return r;
}

static int try_passphrase(struct luks *luks, struct ref passphrase, void *arg)
{
	(void)arg;
	return luks_opens(luks, passphrase) == 0 ? 0 : -EPERM;
}

static int add_passphrase(struct luks *luks, struct credentials *credentials)
{
	CLEANUP(buf_done) struct buf passphrase = {0};
	int r;

	r = unlock_ask(luks, try_passphrase, NULL, &passphrase);
	if (r == 0)
		next(credentials, NULL, LUKS_ANY)->secret = TAKE_STRUCT(passphrase);
	return r;
}

static int recover(const struct item *item, char why[LOG_LINE_MAX], struct buf *ret)
{
	CLEANUP(trial_done) struct trial trial = {0};
	int r;

	r = trial_recover(&item->token, (struct ref){0}, &trial, ret);
	for (int i = 0; i < TRIES && r < 0 && trial.wants_pin && ask_possible(); i++) {
		CLEANUP(buf_done) struct buf user_pin = {0};

		if (i > 0)
			output_warn("%s", trial.why);
		if (user_pin_ask(item->id, &user_pin) < 0)
			break;
		r = trial_recover(&item->token, buf_ref(&user_pin), &trial, ret);
	}
	if (r < 0)
		(void)snprintf(why, LOG_LINE_MAX, "%s", trial.why);
	return r;
}

static int add_tokens(const struct inventory *inventory, struct credentials *credentials)
{
	for (size_t i = 0; i < inventory->n; i++) {
		const struct item *item = &inventory->items[i];
		CLEANUP(buf_done) struct buf secret = {0};
		int r;

		if (!item->valid || item->keyslots == 0)
			continue;
		r = recover(item, credentials->why[item->id], &secret);
		if (r == -ENOMEM)
			return r;
		if (r == 0)
			next(credentials, NULL, (int)item->id)->secret = TAKE_STRUCT(secret);
	}
	return 0;
}

int credentials_gather(struct luks *luks, const struct options *options,
		       const struct inventory *inventory, struct credentials *ret)
{
	CLEANUP(credentials_done) struct credentials credentials = {0};
	int r;

	credentials.list = calloc(CREDENTIALS_MAX, sizeof(*credentials.list));
	credentials.why = calloc(LUKS_TOKENS, sizeof(*credentials.why));
	if (!credentials.list || !credentials.why)
		return -ENOMEM;

	r = add_files(luks, options, &credentials);
	if (r == 0 && !options->unlock_key_file && !options->unlock_token)
		r = add_passphrase(luks, &credentials);
	if (r == 0)
		r = add_tokens(inventory, &credentials);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(credentials);
	return 0;
}

static uint32_t candidates(const struct inventory *inventory, const struct credential *credential)
{
	const struct item *item = credential->token == LUKS_ANY
					  ? NULL
					  : inventory_find(inventory, (unsigned)credential->token);

	return inventory->active & (item ? item->keyslots : ~UINT32_C(0));
}

int credentials_try(struct luks *luks, const struct inventory *inventory,
		    struct credentials *credentials)
{
	uint32_t opened = 0;

	/* Tokens first: what they open is not tried with the slower passphrases any more. */
	for (size_t i = credentials->n; i > 0; i--) {
		struct credential *credential = &credentials->list[i - 1];
		uint32_t left = candidates(inventory, credential) & ~opened;

		for (unsigned slot = 0; slot < LUKS_KEYSLOTS; slot++)
			if (left & UINT32_C(1) << slot &&
			    luks_keyslot_opens(luks, slot, buf_ref(&credential->secret)) == 0)
				credential->opens |= UINT32_C(1) << slot;
		opened |= credential->opens;
	}
	for (size_t i = 0; i < credentials->n; i++) {
		const struct credential *credential = &credentials->list[i];

		if (credential->file && credential->opens == 0 &&
		    luks_opens(luks, buf_ref(&credential->secret)) < 0)
			return log_err(luks->log, -EPERM,
				       "the key in %s opens no keyslot of %s (if it is a "
				       "passphrase: a newline at its end counts)",
				       credential->file, luks->name);
	}
	return 0;
}

const struct credential *credentials_find(const struct credentials *credentials, unsigned keyslot)
{
	for (size_t i = 0; i < credentials->n; i++)
		if (credentials->list[i].opens & UINT32_C(1) << keyslot)
			return &credentials->list[i];
	return NULL;
}

const struct credential *credentials_any(struct luks *luks, const struct credentials *credentials)
{
	for (size_t i = 0; i < credentials->n; i++)
		if (luks_opens(luks, buf_ref(&credentials->list[i].secret)) == 0)
			return &credentials->list[i];
	return NULL;
}
