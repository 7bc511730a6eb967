/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decides what survives a new volume key, and reads and writes the note of it. */
#include "enroll/reencrypt-keep.h"

#include "crypto/js.h"

#include <errno.h>

/* Not "cotter-": it is no binding, and nothing opens by it. */
const char keep_note_type[] = "cotter_reencryption";

void keep_decide(const struct inventory *inventory, uint32_t opened, struct keep *ret)
{
	struct keep keep = {
		.keyslots = inventory->active & opened,
		.lost_keyslots = inventory->active & ~opened,
	};

	for (size_t i = 0; i < inventory->n; i++) {
		const struct item *item = &inventory->items[i];

		if (item->keyslots & ~keep.lost_keyslots)
			keep.tokens |= UINT32_C(1) << item->id;
		else if (item->keyslots != 0)
			keep.lost_tokens |= UINT32_C(1) << item->id;
	}
	*ret = keep;
}

int keep_numbers(const struct inventory *inventory, const struct keep *keep,
		 unsigned ret[LUKS_KEYSLOTS], unsigned *ret_missing)
{
	uint32_t free = ~(inventory->active | inventory->unbound);
	int left = __builtin_popcount(free) - __builtin_popcount(keep->keyslots) - 1;

	if (left < 0) {
		*ret_missing = (unsigned)-left;
		return -ENOSPC;
	}

	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++) {
		if (!(keep->keyslots & UINT32_C(1) << i))
			continue;
		ret[i] = (unsigned)__builtin_ctz(free);
		free &= free - 1;
	}
	return 0;
}

int keep_note_format(const struct keep_note *note, char **ret)
{
	CLEANUP_JSON json_t *json = json_pack(
		"{s:s, s:[], s:{s:o, s:o, s:o}}", "type", keep_note_type, "keyslots", "cotter",
		"old", inventory_numbers(note->old), "keyslots", inventory_numbers(note->keyslots),
		"tokens", inventory_numbers(note->tokens));

	return json ? js_dump(json, ret) : -ENOMEM;
}

static int read_numbers(const json_t *json, uint32_t *ret)
{
	uint32_t bits = 0;
	const json_t *number;
	size_t i;

	if (!json_is_array(json))
		return -EBADMSG;
	json_array_foreach(json, i, number) {
		json_int_t value = json_integer_value(number);

		if (!json_is_integer(number) || value < 0 || value >= LUKS_KEYSLOTS)
			return -EBADMSG;
		bits |= UINT32_C(1) << value;
	}
	*ret = bits;
	return 0;
}

int keep_note_parse(const char *text, struct keep_note *ret)
{
	CLEANUP_JSON json_t *json = NULL;
	const json_t *cotter;
	struct keep_note note;
	int r;

	r = js_load(ref_str(text), &json);
	cotter = json_object_get(json, "cotter");
	if (r == 0)
		r = read_numbers(json_object_get(cotter, "old"), &note.old);
	if (r == 0)
		r = read_numbers(json_object_get(cotter, "keyslots"), &note.keyslots);
	if (r == 0)
		r = read_numbers(json_object_get(cotter, "tokens"), &note.tokens);
	if (r < 0)
		return r;
	*ret = note;
	return 0;
}
