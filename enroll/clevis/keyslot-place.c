/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves keyslots to their places. */
#include "enroll/clevis/keyslot-place.h"

#include "crypto/js.h"
#include "enroll/luks-bind.h"
#include "enroll/luks-note.h"

#include <errno.h>

#define CLEANUP_TEXT CLEANUP(free_text)

static const char extras_name[] = "cotter", name[] = "place";

int keyslot_place_read(const char *token)
{
	CLEANUP_JSON json_t *json = NULL;
	const json_t *place;
	json_int_t value;

	if (js_load(ref_str(token), &json) < 0)
		return LUKS_ANY;
	place = json_object_get(json_object_get(json, extras_name), name);
	value = json_integer_value(place);
	return json_is_integer(place) && value >= 0 && value < LUKS_KEYSLOTS ? (int)value
									     : LUKS_ANY;
}

int keyslot_place_write(const char *token, int place, char **ret)
{
	CLEANUP_JSON json_t *json = NULL;
	json_t *extras;
	int r;

	r = js_load(ref_str(token), &json);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;

	extras = json_object_get(json, extras_name);
	if (extras && !json_is_object(extras))
		return -EBADMSG;
	if (!extras && place != LUKS_ANY) {
		extras = json_object();
		if (json_object_set_new(json, extras_name, extras) != 0)
			return -ENOMEM;
	}
	if (place == LUKS_ANY)
		(void)json_object_del(extras, name);
	else if (json_object_set_new(extras, name, json_integer(place)) != 0)
		return -ENOMEM;
	if (json_object_size(extras) == 0)
		(void)json_object_del(json, extras_name);
	return js_dump(json, ret);
}

/* Adds what opens it at its place. */
static int settle(struct luks *luks, unsigned token, const char *text, int place, struct ref secret,
		  struct ref volume_key)
{
	const struct binding binding = {
		.json = text,
		.secret = secret,
		.volume_key = volume_key,
		.keyslot = place,
		.token = (int)token,
	};
	int r;

	r = luks_bind_keyslot(luks, &binding, token);
	return r < 0 ? r : 0;
}

static int forget(struct luks *luks, unsigned token)
{
	CLEANUP_TEXT char *text = luks_note_token_text(luks, token), *without = NULL;
	int r;

	r = text ? keyslot_place_write(text, LUKS_ANY, &without) : -ENOMEM;
	return r < 0 ? r : luks_note_set_token(luks, token, without);
}

int keyslot_place_take(struct luks *luks, unsigned token, struct ref secret, struct ref volume_key)
{
	CLEANUP_TEXT char *text = luks_note_token_text(luks, token);
	int place = text ? keyslot_place_read(text) : LUKS_ANY, r = 0;
	uint32_t own = luks_token_keyslots(luks, token), there;

	if (!text)
		return -ENOMEM;
	if (place == LUKS_ANY)
		return 0;

	there = UINT32_C(1) << place;
	if (!(own & there) && luks_keyslot(luks, (unsigned)place) == LUKS_KEYSLOT_FREE) {
		r = settle(luks, token, text, place, secret, volume_key);
		own |= r < 0 ? 0 : there;
	}
	if (r == 0 && own & there && luks_keyslot_opens(luks, (unsigned)place, secret) == 0)
		for (unsigned i = 0; r == 0 && i < LUKS_KEYSLOTS; i++)
			if (own & ~there & UINT32_C(1) << i)
				r = luks_remove_keyslot(luks, i);
	return r < 0 ? r : forget(luks, token);
}
