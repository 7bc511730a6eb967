/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes tokens with notes. */
#include "enroll/luks-note.h"

#include "crypto/hash.h"
#include "crypto/js.h"
#include "enroll/luks-bind.h"

#include <errno.h>
#include <stdio.h>

#include <libcryptsetup.h>

#define CLEANUP_TEXT CLEANUP(free_text)

int luks_note_other_token(const struct luks *luks, unsigned token, unsigned keyslot)
{
	for (unsigned i = 0; i < LUKS_TOKENS; i++)
		if (i != token && luks_token_keyslots(luks, i) & UINT32_C(1) << keyslot)
			return (int)i;
	return LUKS_ANY;
}

int luks_note_set_token(struct luks *luks, unsigned token, const char *text)
{
	int r;

	luks->said[0] = '\0';
	r = luks_set_token(luks, (int)token, text);
	if (r == -ENOSPC)
		return luks_bind_no_room(luks, strlen(text));
	if (r < 0)
		return log_err(luks->log, -EIO, "token %u of %s could not be written: %s", token,
			       luks->name, luks_cause(luks, r));
	return 0;
}

int luks_note_set(struct luks *luks, unsigned token, const char *text,
		  const struct luks_unfinished_note *note, int keyslot)
{
	CLEANUP_TEXT char *noted = NULL;
	int r;

	r = luks_unfinished_write(text, note, keyslot, &noted);
	return r < 0 ? r : luks_note_set_token(luks, token, noted);
}

char *luks_note_token_text(const struct luks *luks, unsigned token)
{
	const char *type, *json;

	return luks_token(luks, token, &type, &json) == 0 ? strdup(json) : NULL;
}

int luks_note_drop(struct luks *luks, unsigned token)
{
	CLEANUP_TEXT char *text = luks_note_token_text(luks, token);

	return text ? luks_note_set(luks, token, text, NULL, LUKS_ANY) : -ENOMEM;
}

/* The members that are made anew with each keyslot, and stay as they are. */
int luks_note_print(const struct luks *luks, unsigned keyslot, struct luks_print *ret)
{
	CLEANUP_JSON json_t *header = NULL, *what = NULL;
	char *dump = NULL;
	uint8_t digest[HASH_SIZE_MAX];
	const json_t *found;
	const char *text = NULL;
	char name[16];
	struct ref part;
	int r;

	if (crypt_dump_json(luks->cd, &text, 0) == 0 && text)
		header = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	(void)snprintf(name, sizeof(name), "%u", keyslot);
	found = json_object_get(json_object_get(header, "keyslots"), name);
	if (!found)
		return -ENOENT;
	what = json_pack("{s:O*, s:O*, s:O*}", "kdf", json_object_get(found, "kdf"), "af",
			 json_object_get(found, "af"), "area", json_object_get(found, "area"));
	r = what ? js_dump(what, &dump) : -ENOMEM;
	if (r < 0)
		return r;
	part = ref_str(dump);
	r = hash_digest("SHA256", &part, 1, digest);
	free(dump);
	if (r == 0)
		memcpy(ret->digest, digest, sizeof(ret->digest));
	return r;
}
