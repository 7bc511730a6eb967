/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A LUKS2 volume through libcryptsetup. */
#include "enroll/luks.h"

#include "crypto/js.h"
#include "token/handler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

DEFINE_CLEANUP(struct crypt_keyslot_context *, crypt_keyslot_context_free)

void luks_keep_log(int level, const char *line, void *usrptr)
{
	struct luks *luks = usrptr;
	int len = (int)strcspn(line, "\n");

	if (level != CRYPT_LOG_ERROR)
		return;

	/* It will stand inside a sentence of ours. */
	if (len > 0 && line[len - 1] == '.' && !luks->forward)
		len--;
	(void)snprintf(luks->said, sizeof(luks->said), "%.*s", len, line);
	if (luks->forward)
		(void)log_err(luks->log, 0, "%s", luks->said);
}

const char *luks_cause(const struct luks *luks, int r)
{
	return luks->said[0] ? luks->said : strerror(-r);
}

struct luks *luks_free(struct luks *luks)
{
	if (!luks)
		return NULL;

	crypt_free(luks->cd);
	if (luks->fd >= 0)
		(void)close(luks->fd);
	free(luks);
	return NULL;
}

const char *luks_uuid(const struct luks *luks)
{
	return crypt_get_uuid(luks->cd);
}

enum luks_keyslot luks_keyslot(const struct luks *luks, unsigned keyslot)
{
	switch (crypt_keyslot_status(luks->cd, (int)keyslot)) {
	case CRYPT_SLOT_ACTIVE:
	case CRYPT_SLOT_ACTIVE_LAST:
		return LUKS_KEYSLOT_ACTIVE;
	case CRYPT_SLOT_UNBOUND:
		return LUKS_KEYSLOT_UNBOUND;
	default:
		return LUKS_KEYSLOT_FREE;
	}
}

bool luks_null_cipher(const struct luks *luks, int keyslot)
{
	return handler_null_cipher(luks->cd, keyslot);
}

int luks_token(const struct luks *luks, unsigned token, const char **ret_type,
	       const char **ret_json)
{
	const char *type = NULL, *json = NULL;

	switch (crypt_token_status(luks->cd, (int)token, &type)) {
	case CRYPT_TOKEN_INVALID:
	case CRYPT_TOKEN_INACTIVE:
		return -ENOENT;
	default:
		break;
	}

	/* Without memory it succeeds without a text. */
	if (crypt_token_json_get(luks->cd, (int)token, &json) < 0 || !json)
		return -ENOMEM;
	*ret_type = type;
	*ret_json = json;
	return 0;
}

uint32_t luks_token_keyslots(const struct luks *luks, unsigned token)
{
	uint32_t keyslots = 0;

	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++)
		if (luks_keyslot(luks, i) != LUKS_KEYSLOT_FREE &&
		    crypt_token_is_assigned(luks->cd, (int)token, (int)i) == 0)
			keyslots |= UINT32_C(1) << i;
	return keyslots;
}

/* From this keyslot, or LUKS_ANY. */
static int volume_key(struct luks *luks, int keyslot, struct crypt_keyslot_context *context,
		      struct buf *ret)
{
	CLEANUP(buf_done) struct buf key = {0};
	int size = crypt_get_volume_key_size(luks->cd);
	int r;

	if (size <= 0)
		return -EPERM; /* no keyslot holds it */
	r = buf_init(&key, (size_t)size);
	if (r < 0)
		return r;

	key.n = key.cap;
	luks->said[0] = '\0';
	r = crypt_volume_key_get_by_keyslot_context(luks->cd, keyslot, (char *)key.p, &key.n,
						    context);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(key);
	return 0;
}

int luks_unlock_keyslot(struct luks *luks, int keyslot, struct ref passphrase, struct buf *ret)
{
	CLEANUP(crypt_keyslot_context_freep) struct crypt_keyslot_context *context = NULL;
	int r;

	r = crypt_keyslot_context_init_by_passphrase(luks->cd, (const char *)passphrase.p,
						     passphrase.n, &context);
	if (r == 0)
		r = volume_key(luks, keyslot, context, ret);
	if (r == -EPERM || r == -ENOENT)
		return -EPERM;
	if (r < 0)
		return log_err(luks->log, -EIO, "%s could not be unlocked: %s", luks->name,
			       luks_cause(luks, r));
	return 0;
}

int luks_unlock_by_passphrase(struct luks *luks, struct ref passphrase, struct buf *ret)
{
	return luks_unlock_keyslot(luks, LUKS_ANY, passphrase, ret);
}

/* Asked for any token, libcryptsetup would also take those whose keyslots are to be ignored. */
static bool is_ignored(const struct luks *luks, unsigned token)
{
	uint32_t keyslots = luks_token_keyslots(luks, token);

	for (int i = 0; i < LUKS_KEYSLOTS; i++)
		if (keyslots & UINT32_C(1) << i &&
		    crypt_keyslot_get_priority(luks->cd, i) != CRYPT_SLOT_PRIORITY_IGNORE)
			return false;
	return true;
}

static int unlock_by_one_token(struct luks *luks, unsigned token, struct ref user_pin,
			       struct buf *ret)
{
	CLEANUP(crypt_keyslot_context_freep) struct crypt_keyslot_context *context = NULL;
	struct luks_given given = {.user_pin = user_pin};
	const char *type = NULL;
	bool ours;
	int r;

	if (crypt_token_status(luks->cd, (int)token, &type) < CRYPT_TOKEN_INTERNAL)
		return -ENOENT;

	/* libcryptsetup has no way to hand a PIN to a handler inside this process. */
	ours = user_pin.p && type && token_type_pin(type);
	r = crypt_keyslot_context_init_by_token(
		luks->cd, (int)token, ours ? type : NULL, ours ? NULL : (const char *)user_pin.p,
		ours ? 0 : user_pin.n, ours ? &given : NULL, &context);
	if (r < 0)
		return log_err(luks->log, -EIO, "%s could not be unlocked: %s", luks->name,
			       luks_cause(luks, r));

	luks->forward = true;
	r = volume_key(luks, LUKS_ANY, context, ret);
	luks->forward = false;
	return r;
}

int luks_unlock_by_this_token(struct luks *luks, unsigned token, struct buf *ret)
{
	return unlock_by_one_token(luks, token, (struct ref){0}, ret);
}

int luks_unlock_by_token(struct luks *luks, struct ref user_pin, struct buf *ret)
{
	const char *type, *json;
	int result = -ENOENT;

	for (unsigned i = 0; i < LUKS_TOKENS; i++) {
		int r;

		if (luks_token(luks, i, &type, &json) < 0 || is_ignored(luks, i))
			continue;
		r = unlock_by_one_token(luks, i, user_pin, ret);
		if (r == 0 || r == -ENOMEM)
			return r;
		/* That something is missing now says more than that a token cannot. */
		if (r == -ENOANO || (r == -EAGAIN && result != -ENOANO) || result == -ENOENT)
			result = r;
	}
	return result;
}

int luks_keyslot_opens(struct luks *luks, unsigned keyslot, struct ref secret)
{
	return crypt_activate_by_passphrase(luks->cd, NULL, (int)keyslot, (const char *)secret.p,
					    secret.n, 0) < 0
		       ? -EPERM
		       : 0;
}

int luks_opens(struct luks *luks, struct ref secret)
{
	return luks_keyslot_opens(luks, (unsigned)CRYPT_ANY_SLOT, secret);
}

int luks_remove_keyslot(struct luks *luks, unsigned keyslot)
{
	int r;

	luks->said[0] = '\0';
	r = crypt_keyslot_destroy(luks->cd, (int)keyslot);
	if (r != 0) /* out of memory while it overwrites, it returns ENOMEM itself */
		return log_err(luks->log, -EIO, "keyslot %u of %s could not be removed: %s",
			       keyslot, luks->name, luks_cause(luks, r < 0 ? r : -r));
	return 0;
}

static bool token_is(const struct luks *luks, unsigned token, const char *json)
{
	CLEANUP_JSON json_t *wanted = NULL, *found = NULL;
	const char *type, *text;

	if (luks_token(luks, token, &type, &text) < 0)
		return false;
	return strcmp(text, json) == 0 ||
	       (js_load(ref_str(json), &wanted) == 0 && js_load(ref_str(text), &found) == 0 &&
		json_equal(wanted, found));
}

int luks_set_token(struct luks *luks, int token, const char *json)
{
	int id = token, r = 0;

	for (int tries = 0; tries < 2; tries++) {
		r = crypt_token_json_set(luks->cd, id, json);
		if (r < 0)
			break;
		id = r;
		if (token_is(luks, (unsigned)id, json))
			return id;
	}
	if (token == LUKS_ANY && id != LUKS_ANY)
		(void)crypt_token_json_set(luks->cd, id, NULL);
	return r < 0 ? r : -ENOMEM;
}

int luks_remove_token(struct luks *luks, unsigned token)
{
	int r;

	luks->said[0] = '\0';
	r = crypt_token_json_set(luks->cd, (int)token, NULL);
	if (r < 0)
		return log_err(luks->log, -EIO, "token %u of %s could not be removed: %s", token,
			       luks->name, luks_cause(luks, r));
	return 0;
}
