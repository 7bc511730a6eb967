/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what a header holds. */
#include "enroll/inventory.h"

#include "enroll/clevis-token.h"
#include "enroll/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void why_sink(void *to, enum log_level level, const char *line)
{
	struct item *item = to;

	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(item->why, sizeof(item->why), "%s", line);
}

static int read_item(const struct luks *luks, unsigned id, const char *type, const char *json,
		     struct item *item)
{
	const struct log log = {.sink = why_sink, .to = item};

	item->id = id;
	item->keyslots = luks_token_keyslots(luks, id);
	item->type = strdup(type);
	if (!item->type)
		return -ENOMEM;

	item->ours = strncmp(type, TOKEN_TYPE_PREFIX, strlen(TOKEN_TYPE_PREFIX)) == 0;
	if (!item->ours)
		return 0;

	item->valid = token_parse(ref_str(json), &log, &item->token) == 0;
	if (!item->valid && !item->why[0])
		return -ENOMEM; /* the one failure that has no sentence */
	return 0;
}

int inventory_read(const struct luks *luks, struct inventory *ret)
{
	CLEANUP(inventory_done) struct inventory inventory = {0};

	inventory.items = calloc(LUKS_TOKENS, sizeof(*inventory.items));
	if (!inventory.items)
		return -ENOMEM;

	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++) {
		enum luks_keyslot state = luks_keyslot(luks, i);

		inventory.active |= (uint32_t)(state == LUKS_KEYSLOT_ACTIVE) << i;
		inventory.unbound |= (uint32_t)(state == LUKS_KEYSLOT_UNBOUND) << i;
	}

	for (unsigned i = 0; i < LUKS_TOKENS; i++) {
		const char *type, *json;
		int r;

		r = luks_token(luks, i, &type, &json);
		if (r == -ENOENT)
			continue;
		if (r == 0)
			r = read_item(luks, i, type, json, &inventory.items[inventory.n++]);
		if (r < 0)
			return r;
	}

	*ret = TAKE_STRUCT(inventory);
	return 0;
}

int inventory_adopt(struct inventory *inventory, const struct luks *luks, unsigned id)
{
	CLEANUP(free_text) char *converted = NULL;
	struct item *item = (struct item *)(uintptr_t)inventory_find(inventory, id);
	const struct log log = {.sink = why_sink, .to = item};
	const char *type, *json;
	int r;

	if (!item || strcmp(item->type, TOKEN_TYPE_CLEVIS) != 0 || item->ours ||
	    luks_token(luks, id, &type, &json) < 0)
		return 0;
	item->ours = true;
	r = clevis_token_convert(json, NULL, &log, &converted);
	if (r == 0)
		r = token_parse(ref_str(converted), &log, &item->token);
	item->valid = r == 0;
	return r == -ENOMEM ? r : 0;
}

void inventory_done(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->n; i++) {
		token_done(&inventory->items[i].token);
		free(inventory->items[i].type);
	}
	free(inventory->items);
	*inventory = (struct inventory){0};
}

const struct item *inventory_find(const struct inventory *inventory, unsigned id)
{
	for (size_t i = 0; i < inventory->n; i++)
		if (inventory->items[i].id == id)
			return &inventory->items[i];
	return NULL;
}

int inventory_check_ours(const struct inventory *inventory, const struct luks *luks, int id)
{
	const struct item *item;

	if (id >= 0) {
		item = inventory_find(inventory, (unsigned)id);
		if (!item)
			return log_err(luks->log, -ENOENT, "%s has no token %d", luks->name, id);
		if (!item->ours)
			return log_err(luks->log, -ENOENT, "token %d of %s is not cotter's, but %s",
				       id, luks->name, item->type);
		return 0;
	}

	for (size_t i = 0; i < inventory->n; i++)
		if (inventory->items[i].ours)
			return 0;
	return log_err(luks->log, -ENOENT, "%s has no cotter token to test", luks->name);
}

int inventory_choose(const struct inventory *inventory, const struct luks *luks, int id,
		     unsigned *ret)
{
	const struct item *only = NULL;
	int r;

	r = inventory_check_ours(inventory, luks, id);
	if (r < 0)
		return r;
	for (size_t i = 0; id < 0 && i < inventory->n; i++) {
		if (!inventory->items[i].ours)
			continue;
		if (only)
			return log_err(
				luks->log, -EINVAL,
				"%s has several cotter tokens; say which one with --replace=TOKEN",
				luks->name);
		only = &inventory->items[i];
	}
	*ret = only ? only->id : (unsigned)id;
	return 0;
}

json_t *inventory_numbers(uint32_t bits)
{
	CLEANUP_JSON json_t *numbers = json_array();

	for (int i = 0; i < 32; i++)
		if (bits & UINT32_C(1) << i && json_array_append_new(numbers, json_integer(i)) < 0)
			return NULL;
	return TAKE_PTR(numbers);
}

static int look(const json_t *hdr, json_t *facts);

/* Each share of a policy; facts say which of them can be read. */
static int look_at_shares(const json_t *hdr, const json_t *shares)
{
	const json_t *jwes =
		json_object_get(json_object_get(json_object_get(hdr, "clevis"), TREE_PIN), "jwe");
	json_t *share;
	size_t i;
	int r = 0;

	json_array_foreach(shares, i, share) {
		const char *text = json_string_value(json_array_get(jwes, i));
		CLEANUP(jwe_done) struct jwe jwe = {0};

		if (r == 0 && text && jwe_from_compact(ref_str(text), &jwe) == 0)
			r = look(jwe.hdr, share);
	}
	return r;
}

static int look(const json_t *hdr, json_t *facts)
{
	const struct pin *pin = pin_find(pins, hdr);
	const struct pin_options *of = pin ? pin_options_find(pin->name) : NULL;
	const json_t *shares = json_object_get(facts, "shares");

	if (shares)
		return look_at_shares(hdr, shares);
	return of && of->look && !json_object_get(facts, "unusable") ? of->look(hdr, facts) : 0;
}

json_t *inventory_facts(const struct item *item)
{
	CLEANUP_JSON json_t *facts = NULL;

	if (!item->valid || token_describe(&item->token, &facts) < 0)
		return NULL;
	if (look(item->token.jwe.hdr, facts) < 0)
		return NULL;
	return TAKE_PTR(facts);
}
