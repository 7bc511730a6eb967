/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves tokens. libcryptsetup puts a new one at the end, and one that is replaced stays where it is. */
#include "enroll/luks-move.h"

#include "crypto/js.h"
#include "enroll/options-values.h"

#include <errno.h>
#include <stdlib.h>

#include <libcryptsetup.h>

int luks_order_read(const struct luks *luks, struct luks_order *ret)
{
	CLEANUP_JSON json_t *header = NULL;
	struct luks_order order = {0};
	const char *text = NULL, *name;
	const json_t *token;

	if (crypt_dump_json(luks->cd, &text, 0) == 0 && text)
		header = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!header)
		return log_err(luks->log, -EIO, "the order of the tokens of %s cannot be read",
			       luks->name);

	json_object_foreach(json_object_get(header, "tokens"), name, token) {
		int id = options_small_number(name, strlen(name), LUKS_TOKENS);

		if (id >= 0 && order.n < LUKS_TOKENS)
			order.ids[order.n++] = (unsigned)id;
	}
	*ret = order;
	return 0;
}

/* The id of an equal token behind this one; LUKS_ANY where there is none. */
static int find_copy(const struct luks *luks, const struct luks_order *order, unsigned id,
		     const char *json)
{
	size_t i = 0;

	while (i < order->n && order->ids[i] != id)
		i++;
	for (i++; i < order->n; i++) {
		const char *type, *other;

		if (luks_token(luks, order->ids[i], &type, &other) == 0 && strcmp(json, other) == 0)
			return (int)order->ids[i];
	}
	return LUKS_ANY;
}

static int write_copy(struct luks *luks, unsigned id, const char *json)
{
	int r;

	luks->said[0] = '\0';
	r = luks_set_token(luks, LUKS_ANY, json);
	if (r >= 0)
		return r;
	return log_err(luks->log, r == -ENOSPC ? r : -EIO,
		       "token %u of %s could not be moved, for which the header needs room for it "
		       "twice and a free id: %s",
		       id, luks->name, luks_cause(luks, r));
}

int luks_move_token(struct luks *luks, unsigned id, unsigned *ret_id)
{
	struct luks_order order;
	const char *type, *json;
	char *copy;
	int new, r;

	r = luks_token(luks, id, &type, &json);
	if (r == 0)
		r = luks_order_read(luks, &order);
	if (r < 0)
		return r;
	copy = strdup(json); /* borrowed until the header changes */
	if (!copy)
		return -ENOMEM;

	new = find_copy(luks, &order, id, copy);
	if (new == LUKS_ANY)
		new = write_copy(luks, id, copy);
	free(copy);
	r = new < 0 ? new : luks_remove_token(luks, id);
	if (r == 0)
		*ret_id = (unsigned)new;
	return r;
}
