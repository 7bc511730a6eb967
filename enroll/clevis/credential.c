/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passphrases, key files, tokens and bindings. */
#include "enroll/clevis/credential.h"

#include "enroll/clevis/line.h"
#include "enroll/clevis/sealing.h"
#include "token/token.h"

#include <errno.h>

#define PROMPT "Enter existing LUKS password: "

/* The first has all the time of a recovery, and those behind it what is left: cluster managers wait 20 s. */
enum { SECONDS = TOKEN_DEADLINE_DEFAULT, SECONDS_MIN = 2 };

/*
 * The keyslot of a binding is the one of its number; but between the steps of a regeneration it may be another, which
 * is looked for among all, whatever their derivation costs. Errors: -EPERM.
 */
static int find_keyslot(struct volume *volume, unsigned slot, struct ref secret, int *ret)
{
	if (luks_keyslot_opens(volume->luks, slot, secret) == 0)
		*ret = (int)slot;
	else if (luks_opens(volume->luks, secret) == 0)
		*ret = LUKS_ANY;
	else
		return -EPERM;
	return 0;
}

static int try_slot(struct volume *volume, unsigned slot, uint64_t deadline_us, struct buf *ret,
		    int *ret_keyslot)
{
	CLEANUP(free_text) char *jwe = NULL;
	CLEANUP(buf_done) struct buf secret = {0};
	const struct log *log = volume->luks->log;
	int r;

	r = volume->format->jwe(volume, slot, &jwe);
	if (r == 0)
		r = sealing_open_by(ref_str(jwe), deadline_us, log, &secret);
	if (r == 0 && find_keyslot(volume, slot, buf_ref(&secret), ret_keyslot) < 0)
		r = log_err(log, -EPERM, "what slot %u of %s gives opens nothing", slot,
			    volume->luks->name);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(secret);
	return 0;
}

int credential_by_slot(struct volume *volume, unsigned slot, struct buf *ret)
{
	int keyslot;

	return try_slot(volume, slot, now_us() + (uint64_t)SECONDS * USEC_PER_SEC, ret, &keyslot);
}

int credential_by_binding(struct volume *volume, struct buf *ret, int *ret_keyslot)
{
	uint64_t deadline_us = now_us() + (uint64_t)SECONDS * USEC_PER_SEC;

	for (unsigned i = 0; i < volume->format->slots; i++) {
		uint64_t least_us = now_us() + (uint64_t)SECONDS_MIN * USEC_PER_SEC;
		int r;

		if (luks_keyslot(volume->luks, i) == LUKS_KEYSLOT_FREE)
			continue;
		r = try_slot(volume, i, deadline_us > least_us ? deadline_us : least_us, ret,
			     ret_keyslot);
		if (r == 0 || r == -ENOMEM)
			return r;
	}
	return -EPERM;
}

static int no_key(const struct volume *volume, const char *what)
{
	return log_err(volume->luks->log, -EPERM, "%s opens no keyslot of %s", what,
		       volume->luks->name);
}

static int by_passphrase(struct volume *volume, const char *prompt, struct buf *ret)
{
	CLEANUP(buf_done) struct buf passphrase = {0};
	int r;

	r = line_secret(prompt, &passphrase);
	if (r == -E2BIG)
		return log_err(volume->luks->log, r, "the passphrase is longer than %d bytes",
			       LINE_SECRET_MAX);
	return r < 0 ? r : luks_unlock_by_passphrase(volume->luks, buf_ref(&passphrase), ret);
}

int credential_recover(struct volume *volume, struct buf *ret)
{
	CLEANUP(buf_done) struct buf secret = {0};
	int keyslot, r;

	r = credential_by_binding(volume, &secret, &keyslot);
	if (r == 0)
		return luks_unlock_keyslot(volume->luks, keyslot, buf_ref(&secret), ret);
	r = by_passphrase(volume, PROMPT, ret);
	if (r == -ENODATA)
		return log_err(volume->luks->log, r, "no passphrase came on standard input");
	return r == -EPERM ? no_key(volume, "this passphrase") : r;
}

int credential_unlock(const struct credential *credential, struct volume *volume, struct buf *ret)
{
	int r;

	if (credential->token != VOLUME_ANY) {
		if (luks_is_luks1(volume->luks))
			return log_err(volume->luks->log, -EOPNOTSUPP,
				       "%s is LUKS1, which has no tokens", volume->luks->name);
		r = luks_unlock_by_this_token(volume->luks, (unsigned)credential->token, ret);
		return r < 0 && r != -ENOMEM ? no_key(volume, "what this token gives") : r;
	}
	if (credential->key_file) {
		r = luks_unlock_by_key_file(volume->luks, credential->key_file, ret);
		return r == -EPERM ? no_key(volume, "this key file") : r;
	}

	r = by_passphrase(volume, credential->silent ? "" : PROMPT, ret);
	if (r == -ENODATA && !credential->silent)
		return log_err(volume->luks->log, r, "no passphrase came on standard input");
	return r == -EPERM || r == -ENODATA ? credential_recover(volume, ret) : r;
}
