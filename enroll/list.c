/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --list: keyslots and tokens of a volume. */
#include "enroll/inventory.h"
#include "enroll/verbs.h"

#include <errno.h>

static json_t *keyslots_json(const struct inventory *inventory)
{
	CLEANUP_JSON json_t *keyslots = json_array();

	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++) {
		bool active = inventory->active & UINT32_C(1) << i;
		uint32_t tokens = 0;

		if (!active && !(inventory->unbound & UINT32_C(1) << i))
			continue;
		for (size_t t = 0; t < inventory->n; t++)
			if (inventory->items[t].keyslots & UINT32_C(1) << i)
				tokens |= UINT32_C(1) << inventory->items[t].id;
		if (json_array_append_new(keyslots,
					  json_pack("{s:i, s:s, s:o}", "keyslot", (int)i, "state",
						    active ? "active" : "unbound", "tokens",
						    inventory_numbers(tokens))) < 0)
			return NULL;
	}
	return TAKE_PTR(keyslots);
}

static const char *state_of(const struct item *item)
{
	if (!item->ours)
		return "foreign";
	if (!item->valid)
		return "broken";
	return item->keyslots == 0 ? "orphaned" : "ok";
}

static const char *cause_of(const struct item *item)
{
	if (item->ours && !item->valid)
		return item->why;
	if (item->ours && item->keyslots == 0)
		return "no keyslot belongs to it; --wipe-slot=orphaned removes it";
	return NULL;
}

static json_t *token_json(const struct item *item)
{
	CLEANUP_JSON json_t *facts = inventory_facts(item), *label = NULL;

	if (item->valid) {
		if (!facts)
			return NULL;
		label = json_incref(json_object_get(facts, "label"));
		(void)json_object_del(facts, "label");
	}

	return json_pack("{s:i, s:s, s:o, s:s, s:s*, s:O*, s:O*}", "token", (int)item->id, "type",
			 item->type, "keyslots", inventory_numbers(item->keyslots), "state",
			 state_of(item), "cause", cause_of(item), "label", label, "facts", facts);
}

static json_t *tokens_json(const struct inventory *inventory)
{
	CLEANUP_JSON json_t *tokens = json_array();

	for (size_t i = 0; i < inventory->n; i++)
		if (json_array_append_new(tokens, token_json(&inventory->items[i])) < 0)
			return NULL;
	return TAKE_PTR(tokens);
}

enum exit_code verb_list(const struct options *options, struct output *out)
{
	CLEANUP(inventory_done) struct inventory inventory = {0};
	CLEANUP(luks_freep) struct luks *luks = NULL;
	int r;

	r = luks_open(options->device, options->header, false, &out->log, &luks);
	if (r == 0)
		r = inventory_read(luks, &inventory);
	if (r == 0 && (json_object_set_new(out->json, "uuid", json_string(luks_uuid(luks))) < 0 ||
		       json_object_set_new(out->json, "keyslots", keyslots_json(&inventory)) < 0 ||
		       json_object_set_new(out->json, "tokens", tokens_json(&inventory)) < 0))
		r = -ENOMEM;

	return r < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}
