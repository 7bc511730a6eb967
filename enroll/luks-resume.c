/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Brings to an end what an interrupted takeover left. */
#include "enroll/luks-resume.h"

#include "crypto/js.h"
#include "enroll/luks-note.h"
#include "token/token.h"

#include <errno.h>

#define CLEANUP_TEXT CLEANUP(free_text)

static bool same_jwe(const struct luks *luks, unsigned token, unsigned other)
{
	CLEANUP_TEXT char *text = luks_note_token_text(luks, token),
			  *other_text = luks_note_token_text(luks, other);
	CLEANUP_JSON json_t *json = NULL, *other_json = NULL;

	return text && other_text && js_load(ref_str(text), &json) == 0 &&
	       js_load(ref_str(other_text), &other_json) == 0 &&
	       json_equal(json_object_get(json, "jwe"), json_object_get(other_json, "jwe"));
}

/* Whether a token may still be taken over: one of ours, or of the same type, that has the keyslot noted and no other. */
static bool is_old(const struct luks *luks, unsigned token,
		   const struct luks_unfinished *unfinished)
{
	const char *type, *own_type, *json;

	return luks_token(luks, (unsigned)unfinished->token, &type, &json) == 0 &&
	       luks_token(luks, token, &own_type, &json) == 0 &&
	       (token_type_pin(type) || strcmp(type, own_type) == 0) &&
	       luks_token_keyslots(luks, (unsigned)unfinished->token) ==
		       UINT32_C(1) << unfinished->keyslot;
}

/* The temporary token takes the place that it was made for, its keyslot being proven by its secret. */
static int go_on(struct luks *luks, unsigned token, const struct luks_unfinished *unfinished,
		 struct ref secret, unsigned keyslot)
{
	CLEANUP_TEXT char *text = luks_note_token_text(luks, token);
	CLEANUP(buf_done) struct buf old = {0};
	struct luks_unfinished_note note = {
		.token = LUKS_ANY, .keyslot = unfinished->keyslot, .by = secret};
	int r;

	if (luks_unfinished_open(unfinished, secret, &old, &note.print) == 0)
		note.secret = buf_ref(&old);
	r = text ? luks_note_set(luks, (unsigned)unfinished->token, text, &note, (int)keyslot)
		 : -ENOMEM;
	return r < 0 ? r : luks_remove_token(luks, token);
}

/* The note again, now that the keyslot's print is known, so that a keyslot half destroyed is known too. */
static int note_print(struct luks *luks, unsigned token, const struct luks_unfinished_note *note)
{
	CLEANUP_TEXT char *text = luks_note_token_text(luks, token);

	return text ? luks_note_set(luks, token, text, note, LUKS_ANY) : -ENOMEM;
}

/*
 * The old keyslot, which no token has any more, or (cramped) the new one that never had one. Either the secret
 * opens it now, or it is the same keyslot still: half destroyed, or of a secret that was not known.
 */
static int remove_noted(struct luks *luks, unsigned token, const struct luks_unfinished *unfinished,
			struct ref secret, enum luks_resumed *ret)
{
	CLEANUP(buf_done) struct buf old = {0};
	struct luks_unfinished_note note = {
		.token = LUKS_ANY, .keyslot = unfinished->keyslot, .by = secret};
	struct luks_print print = {0};
	bool same;
	int r;

	r = luks_note_print(luks, unfinished->keyslot, &print);
	if (r < 0)
		return r;
	r = luks_unfinished_open(unfinished, secret, &old, &note.print);
	if (r == -ENOMEM)
		return r;
	*ret = LUKS_RESUMED_KEYSLOT;
	if (r < 0)
		return 0;

	same = memcmp(&print, &note.print, sizeof(print)) == 0;
	if (old.n > 0 && luks_keyslot_opens(luks, unfinished->keyslot, buf_ref(&old)) == 0) {
		note.secret = buf_ref(&old);
		note.print = print;
		r = same ? 0 : note_print(luks, token, &note);
	} else if (!same) {
		return luks_note_drop(luks, token); /* it is somebody else's by now */
	}
	*ret = LUKS_RESUMED_DONE;
	if (r == 0)
		r = luks_remove_keyslot(luks, unfinished->keyslot);
	return r < 0 ? r : luks_note_drop(luks, token);
}

static int resume_place(struct luks *luks, unsigned *token,
			const struct luks_unfinished *unfinished, struct ref secret,
			unsigned keyslot, enum luks_resumed *ret)
{
	unsigned place = (unsigned)unfinished->token;

	if (luks_token_keyslots(luks, *token) == 0) {
		*ret = LUKS_RESUMED_UNDONE;
		return luks_remove_token(luks, *token);
	}
	if (place != *token && same_jwe(luks, *token, place)) {
		int r = luks_remove_token(luks, *token);

		*token = place;
		return r;
	}
	if (!secret.p) {
		*ret = LUKS_RESUMED_WANTS;
		return 0;
	}
	if (place != *token && is_old(luks, *token, unfinished)) {
		int r = go_on(luks, *token, unfinished, secret, keyslot);

		*token = place;
		return r;
	}
	return luks_note_drop(luks, *token); /* it has its own place now */
}

int luks_resume(struct luks *luks, unsigned token, struct ref secret, unsigned keyslot,
		enum luks_resumed *ret, unsigned *ret_keyslot)
{
	CLEANUP_TEXT char *text = luks_note_token_text(luks, token);
	CLEANUP(luks_unfinished_done) struct luks_unfinished unfinished = {0};
	enum luks_resumed resumed = LUKS_RESUMED_DONE;
	int r;

	r = text ? luks_unfinished_read(text, &unfinished) : -ENOENT;
	if (r == -ENOENT)
		*ret = LUKS_RESUMED_NONE;
	if (r < 0)
		return r == -ENOENT ? 0 : r;

	if (unfinished.token != LUKS_ANY) {
		r = resume_place(luks, &token, &unfinished, secret, keyslot, &resumed);
		if (r < 0 || resumed != LUKS_RESUMED_DONE)
			goto out;
		luks_unfinished_done(&unfinished);
		free(text);
		text = luks_note_token_text(luks, token);
		r = text ? luks_unfinished_read(text, &unfinished) : -ENOENT;
		if (r < 0)
			goto out;
	}

	if (luks_keyslot(luks, unfinished.keyslot) == LUKS_KEYSLOT_FREE)
		r = luks_note_drop(luks, token);
	else if (!secret.p)
		resumed = LUKS_RESUMED_WANTS;
	else if (unfinished.keyslot == keyslot ||
		 luks_note_other_token(luks, token, unfinished.keyslot) != LUKS_ANY)
		r = luks_note_drop(luks, token); /* in use: not what is left of anything */
	else
		r = remove_noted(luks, token, &unfinished, secret, &resumed);
out:
	if (r < 0 && r != -ENOENT)
		return r;
	*ret = resumed;
	*ret_keyslot = unfinished.keyslot;
	return 0;
}
