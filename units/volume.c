/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the tokens of a volume, and tries what they hold. */
#include "units/volume.h"

#include "token/handler.h"

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

static void no_log(int level, const char *line, void *to)
{
	(void)level;
	(void)line;
	(void)to;
}

static int refuse_null_cipher(const struct volume *volume, const struct token *token,
			      const struct log *log)
{
	bool null = handler_null_cipher(volume->cd, CRYPT_ANY_SLOT);

	for (size_t i = 0; i < token->n_keyslots; i++)
		null = null || handler_null_cipher(volume->cd, (int)token->keyslots[i]);
	return null ? log_err(log, -EKEYREJECTED,
			      "the volume is not encrypted at all (null cipher); its header was "
			      "tampered with")
		    : 0;
}

static int add_token(struct volume *volume, int id, const struct log *log)
{
	CLEANUP(token_done) struct token token = {0};
	const char *type, *json;
	int r;

	if (crypt_token_status(volume->cd, id, &type) < CRYPT_TOKEN_INTERNAL ||
	    !token_type_pin(type))
		return 0;
	if (crypt_token_json_get(volume->cd, id, &json) < 0)
		return 0;
	r = token_parse(ref_str(json), log, &token);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || token.n_keyslots == 0)
		return 0;
	r = refuse_null_cipher(volume, &token, log);
	if (r < 0)
		return r;

	volume->ids[volume->n] = id;
	volume->tokens[volume->n++] = TAKE_STRUCT(token);
	return 0;
}

int volume_open(const char *device, const char *header, const struct log *log, struct volume **ret)
{
	CLEANUP(volume_freep) struct volume *volume = calloc(1, sizeof(*volume));
	int r;

	if (!volume)
		return -ENOMEM;
	crypt_set_log_callback(NULL, no_log, NULL);
	if (crypt_init_data_device(&volume->cd, header ? header : device, device) < 0)
		return log_dbg(log, -ENOENT, "%s cannot be used", device);
	crypt_set_log_callback(volume->cd, no_log, NULL);
	if (crypt_load(volume->cd, CRYPT_LUKS2, NULL) < 0)
		return log_dbg(log, -ENOENT, "%s is not a LUKS2 volume", device);

	for (int i = 0; i < VOLUME_TOKENS_MAX && i < crypt_token_max(CRYPT_LUKS2); i++) {
		r = add_token(volume, i, log);
		if (r < 0)
			return r;
	}
	if (volume->n == 0)
		return log_dbg(log, -ENOENT, "%s has no usable token of ours", device);

	*ret = TAKE_PTR(volume);
	return 0;
}

bool volume_opens(const struct volume *volume, const struct token *token, struct ref passphrase)
{
	for (size_t i = 0; i < token->n_keyslots; i++)
		if (crypt_activate_by_passphrase(volume->cd, NULL, (int)token->keyslots[i],
						 (const char *)passphrase.p, passphrase.n, 0) >= 0)
			return true;
	return false;
}
