/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bindings in tokens of type clevis. */
#include "enroll/clevis/keyslot-place.h"
#include "enroll/clevis/volume.h"

#include "crypto/js.h"
#include "enroll/clevis/jwe-text.h"
#include "enroll/luks-note.h"
#include "enroll/luks-resume.h"
#include "enroll/luks-takeover.h"
#include "token/token.h"

#include <errno.h>

#define CLEANUP_TEXT CLEANUP(free_text)

/* Borrowed; NULL where that is no token of Clevis's. */
static const char *text_of(const struct luks *luks, unsigned token)
{
	const char *type, *json;

	return luks_token(luks, token, &type, &json) == 0 && strcmp(type, TOKEN_TYPE_CLEVIS) == 0
		       ? json
		       : NULL;
}

/* Whether the keyslot is what the note of this token says is to go. */
static bool is_going(const char *text, unsigned slot)
{
	CLEANUP(luks_unfinished_done) struct luks_unfinished unfinished = {0};

	return luks_unfinished_read(text, &unfinished) == 0 && unfinished.token == LUKS_ANY &&
	       unfinished.keyslot == slot;
}

/* Whether a token, which a stop left so, is to have this keyslot, and nobody else has it meanwhile. */
static bool is_coming(const struct luks *luks, unsigned token, unsigned slot)
{
	const char *text = text_of(luks, token);

	return text && keyslot_place_read(text) == (int)slot &&
	       luks_token_keyslots(luks, token) != 0 &&
	       luks_note_other_token(luks, token, slot) == LUKS_ANY &&
	       (luks_keyslot(luks, slot) == LUKS_KEYSLOT_FREE || is_going(text, slot));
}

/* The token that has this keyslot or is to have it. */
static int token_of(const struct luks *luks, unsigned slot)
{
	int coming = LUKS_ANY;

	for (unsigned i = 0; i < LUKS_TOKENS; i++) {
		if (text_of(luks, i) && luks_token_keyslots(luks, i) & UINT32_C(1) << slot)
			return (int)i;
		if (is_coming(luks, i, slot))
			coming = (int)i;
	}
	return coming;
}

static int check(struct volume *volume)
{
	(void)volume;
	return 0;
}

static int init(struct volume *volume)
{
	(void)volume;
	return -EOPNOTSUPP;
}

static int jwe(struct volume *volume, unsigned slot, char **ret)
{
	int token = token_of(volume->luks, slot);
	CLEANUP_JSON json_t *json = NULL;
	int r;

	if (token == LUKS_ANY)
		return -ENOENT;
	r = js_load(ref_str(text_of(volume->luks, (unsigned)token)), &json);
	if (r == 0)
		r = jwe_text_to_compact(json_object_get(json, "jwe"), ret);
	return r == -ENOMEM || r == 0 ? r : -EBADMSG;
}

/* A token without a keyslot opens nothing, and Clevis removes it as well. */
static int remove_orphans(struct luks *luks)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < LUKS_TOKENS; i++)
		if (text_of(luks, i) && luks_token_keyslots(luks, i) == 0)
			r = luks_remove_token(luks, i);
	return r;
}

/* Its text, without a keyslot yet. */
static int format(const struct volume_binding *binding, int place, char **ret)
{
	CLEANUP_JSON json_t *json = NULL, *object = NULL;
	CLEANUP_TEXT char *text = NULL;
	int r;

	r = jwe_text_to_json(binding->jwe, &object);
	if (r < 0)
		return r;
	json = json_pack("{s:s, s:[], s:O}", "type", TOKEN_TYPE_CLEVIS, "keyslots", "jwe", object);
	r = json ? js_dump(json, &text) : -ENOMEM;
	return r < 0 ? r : keyslot_place_write(text, place, ret);
}

static int check_free(const struct volume *volume, const struct volume_binding *binding)
{
	const struct luks *luks = volume->luks;
	const char *type, *json;

	if (binding->slot != VOLUME_ANY &&
	    luks_keyslot(luks, (unsigned)binding->slot) != LUKS_KEYSLOT_FREE)
		return log_err(luks->log, -EEXIST, "keyslot %d of %s is taken", binding->slot,
			       luks->name);
	if (binding->token != VOLUME_ANY &&
	    luks_token(luks, (unsigned)binding->token, &type, &json) == 0)
		return log_err(luks->log, -EEXIST, "token id %d of %s is taken", binding->token,
			       luks->name);
	return 0;
}

static int prove(struct volume *volume, const struct volume_binding *binding, unsigned slot)
{
	if (luks_keyslot_opens(volume->luks, slot, binding->secret) < 0)
		return log_err(volume->luks->log, -EIO,
			       "the new keyslot %u of %s does not open, so it is removed again",
			       slot, volume->luks->name);
	return binding->prove ? binding->prove(binding->arg, volume, slot) : 0;
}

static struct binding binding_of(const struct volume_binding *binding, const char *text)
{
	return (struct binding){
		.json = text,
		.secret = binding->secret,
		.volume_key = binding->volume_key,
		.keyslot = binding->slot,
		.token = binding->token,
	};
}

static int add(struct volume *volume, const struct volume_binding *binding, unsigned *ret)
{
	struct luks *luks = volume->luks;
	CLEANUP_TEXT char *text = NULL;
	struct binding new;
	struct bound bound;
	int r;

	r = remove_orphans(luks);
	if (r == 0)
		r = check_free(volume, binding);
	if (r == 0)
		r = format(binding, LUKS_ANY, &text);
	if (r < 0)
		return r;

	new = binding_of(binding, text);
	r = luks_bind_rehearse(luks, &new);
	if (r == 0)
		r = luks_bind_make(luks, &new, &bound);
	if (r < 0)
		return r;

	r = prove(volume, binding, bound.keyslot);
	if (r < 0)
		return luks_bind_undo(luks, &new, &bound) < 0 ? -EIO : r;
	*ret = bound.keyslot;
	return 0;
}

/* The new token beside the old one, then in its place. */
static int take_over(struct volume *volume, const struct volume_binding *binding,
		     struct luks_takeover *takeover)
{
	struct luks *luks = volume->luks;
	struct bound bound;
	int r;

	r = luks_takeover_rehearse(luks, takeover);
	if (r == 0)
		r = luks_takeover_begin(luks, takeover, &bound);
	if (r < 0)
		return r;

	r = prove(volume, binding, bound.keyslot);
	if (r < 0)
		return luks_takeover_undo(luks, takeover, &bound) < 0 ? -EIO : r;
	return luks_takeover_finish(luks, takeover, &bound);
}

static int replace(struct volume *volume, const struct volume_binding *binding, struct ref old)
{
	struct luks *luks = volume->luks;
	CLEANUP(luks_takeover_done) struct luks_takeover takeover = {.secret = old};
	CLEANUP_TEXT char *text = NULL;
	int token, r;

	r = remove_orphans(luks);
	token = token_of(luks, (unsigned)binding->slot);
	if (r == 0 && token == LUKS_ANY)
		r = log_err(luks->log, -ENOENT, "slot %d of %s has no binding", binding->slot,
			    luks->name);
	if (r == 0)
		r = luks_takeover_possible(luks, (unsigned)token, &takeover.keyslot);
	if (r == 0)
		r = format(binding, binding->slot, &text);
	if (r < 0)
		return r;

	takeover.token = (unsigned)token;
	takeover.binding = binding_of(binding, text);
	takeover.binding.keyslot = LUKS_ANY;
	takeover.binding.token = LUKS_ANY;
	r = take_over(volume, binding, &takeover);
	return r < 0 ? r
		     : keyslot_place_take(luks, (unsigned)token, binding->secret,
					  binding->volume_key);
}

/* Keyslots first: the binding must not lose its name before its key. */
static int remove_binding(struct volume *volume, unsigned slot)
{
	struct luks *luks = volume->luks;
	int token = token_of(luks, slot), r = 0;
	uint32_t keyslots;

	if (token == LUKS_ANY)
		return log_err(luks->log, -ENOENT, "slot %u of %s has no binding", slot,
			       luks->name);
	keyslots = luks_token_keyslots(luks, (unsigned)token);
	if (is_coming(luks, (unsigned)token, slot)) {
		if (luks_keyslot(luks, slot) != LUKS_KEYSLOT_FREE)
			keyslots |= UINT32_C(1) << slot;
	} else if (keyslot_place_read(text_of(luks, (unsigned)token)) == LUKS_ANY) {
		keyslots &= UINT32_C(1) << slot;
	}
	for (unsigned i = 0; r == 0 && i < LUKS_KEYSLOTS; i++)
		if (keyslots & UINT32_C(1) << i)
			r = luks_remove_keyslot(luks, i);
	return r < 0 ? r : luks_remove_token(luks, (unsigned)token);
}

/* The secret of a token in the header, and the keyslot of it that this opens; *ret stays empty where there is none. */
static int recover(struct volume *volume, unsigned token, volume_recover *recover_by, void *arg,
		   struct buf *ret, unsigned *ret_keyslot)
{
	uint32_t keyslots = luks_token_keyslots(volume->luks, token);
	CLEANUP(buf_done) struct buf secret = {0};
	CLEANUP_TEXT char *compact = NULL;

	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++) {
		if (!(keyslots & UINT32_C(1) << i))
			continue;
		if (!secret.p &&
		    (jwe(volume, i, &compact) < 0 || recover_by(arg, compact, &secret) < 0))
			return 0;
		if (luks_keyslot_opens(volume->luks, i, buf_ref(&secret)) == 0) {
			*ret_keyslot = i;
			*ret = TAKE_STRUCT(secret);
			return 0;
		}
	}
	return 0;
}

/* With the secret of the token, which opened this keyslot. */
static int resume_with(struct luks *luks, unsigned token, struct ref secret, unsigned keyslot)
{
	CLEANUP(buf_done) struct buf volume_key = {0};
	enum luks_resumed resumed;
	unsigned noted;
	int r;

	r = luks_resume(luks, token, secret, keyslot, &resumed, &noted);
	if (r == 0)
		r = luks_unlock_keyslot(luks, (int)keyslot, secret, &volume_key);
	for (unsigned i = 0; r == 0 && i < LUKS_TOKENS; i++)
		if (text_of(luks, i) && luks_token_keyslots(luks, i) & UINT32_C(1) << keyslot)
			r = keyslot_place_take(luks, i, secret, buf_ref(&volume_key));
	return r;
}

static int resume(struct volume *volume, volume_recover *recover_by, void *arg)
{
	struct luks *luks = volume->luks;
	int removed = remove_orphans(luks);

	if (removed < 0 || !recover_by)
		return removed;
	for (unsigned i = 0; i < LUKS_TOKENS; i++) {
		const char *text = text_of(luks, i);
		CLEANUP(luks_unfinished_done) struct luks_unfinished unfinished = {0};
		CLEANUP(buf_done) struct buf secret = {0};
		unsigned keyslot = 0;
		int r;

		if (!text || (keyslot_place_read(text) == LUKS_ANY &&
			      luks_unfinished_read(text, &unfinished) < 0))
			continue;
		r = recover(volume, i, recover_by, arg, &secret, &keyslot);
		if (r == 0 && secret.p)
			r = resume_with(luks, i, buf_ref(&secret), keyslot);
		if (r < 0)
			return r;
	}
	return 0;
}

const struct volume_format volume_luks2 = {
	.name = "luks2",
	.slots = LUKS_KEYSLOTS,
	.check = check,
	.init = init,
	.jwe = jwe,
	.add = add,
	.replace = replace,
	.remove = remove_binding,
	.resume = resume,
};
