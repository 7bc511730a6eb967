/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the tokens of a volume, and tries what they hold. */
#include "units/volume.h"

#include "token/handler.h"
#include "token/luks2.h"

#include <errno.h>
#include <stdlib.h>

void volume_free(struct volume *volume)
{
	if (!volume)
		return;
	for (size_t i = 0; i < volume->n; i++)
		token_done(&volume->tokens[i]);
	crypt_free(volume->cd);
	free(volume);
}

static int add_token(struct volume *volume, int id, bool any, const struct log *log)
{
	CLEANUP(token_done) struct token token = {0};
	int r = luks2_token(volume->cd, id, log, &token);

	if (r == -ENOENT && any)
		r = luks2_clevis_token(volume->cd, id, log, &token);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = handler_refuse_null_cipher(volume->cd, &token, log);
	if (r < 0)
		return r;

	volume->ids[volume->n] = id;
	volume->tokens[volume->n++] = TAKE_STRUCT(token);
	return 0;
}

static int open_with(const char *device, const char *header, bool any, const struct log *log,
		     struct volume **ret)
{
	CLEANUP(volume_freep) struct volume *volume = calloc(1, sizeof(*volume));
	int r;

	if (!volume)
		return -ENOMEM;
	r = luks2_open(device, header, &volume->cd);
	if (r < 0)
		return log_dbg(log, -ENOENT,
			       r == -ENODEV ? "%s cannot be used" : "%s is not a LUKS2 volume",
			       device);

	for (int i = 0; i < VOLUME_TOKENS_MAX && i < crypt_token_max(CRYPT_LUKS2); i++) {
		r = add_token(volume, i, any, log);
		if (r < 0)
			return r;
	}
	if (volume->n == 0)
		return log_dbg(log, -ENOENT, "%s has no token that can be used", device);

	*ret = TAKE_PTR(volume);
	return 0;
}

int volume_open(const char *device, const char *header, const struct log *log, struct volume **ret)
{
	return open_with(device, header, false, log, ret);
}

int volume_open_any(const char *device, const struct log *log, struct volume **ret)
{
	return open_with(device, NULL, true, log, ret);
}

static bool wants_card(const char *pin, const json_t *facts)
{
	const json_t *share;
	size_t i;

	if (strcmp(pin, "pkcs11") == 0)
		return true;
	json_array_foreach(json_object_get(facts, "shares"), i, share) {
		const char *name = js_str(share, "pin");

		if (name && wants_card(name, share))
			return true;
	}
	return false;
}

bool volume_waits_for_card(const struct volume *volume)
{
	bool card = false;

	for (size_t i = 0; i < volume->n; i++) {
		CLEANUP_JSON json_t *facts = NULL;
		const struct token *token = &volume->tokens[i];

		if (token_uses_network(token))
			return false;
		if (token_describe(token, &facts) == 0)
			card = card || wants_card(token->pin->name, facts);
	}
	return card;
}

bool volume_opens(const struct volume *volume, const struct token *token, struct ref passphrase)
{
	for (size_t i = 0; i < token->n_keyslots; i++)
		if (crypt_activate_by_passphrase(volume->cd, NULL, (int)token->keyslots[i],
						 (const char *)passphrase.p, passphrase.n, 0) >= 0)
			return true;
	return false;
}
