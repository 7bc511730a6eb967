/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --reorder, and the order after a new binding. */
#include "enroll/sequence.h"

#include "enroll/marks.h"
#include "enroll/verbs.h"

#include <errno.h>

/* In the order in which they are to stand; what is of none stands anywhere. */
enum rank { RANK_LOCAL, RANK_NETWORK, RANK_ENDS, RANK_NONE };

static bool ends_the_loop(const struct item *item)
{
	return strcmp(item->type, "systemd-tpm2") == 0;
}

bool sequence_is_local(const struct token *token)
{
	CLEANUP_JSON json_t *facts = NULL;

	return token_describe(token, &facts) == 0 && marks_local(token->pin->name, facts);
}

static enum rank rank_of(const struct item *item)
{
	if (item->keyslots == 0)
		return RANK_NONE;
	if (item->valid)
		return sequence_is_local(&item->token) ? RANK_LOCAL : RANK_NETWORK;
	return ends_the_loop(item) ? RANK_ENDS : RANK_NONE;
}

static void put_last(struct luks_order *order, size_t i)
{
	unsigned id = order->ids[i];

	memmove(order->ids + i, order->ids + i + 1, (order->n - i - 1) * sizeof(*order->ids));
	order->ids[order->n - 1] = id;
}

/* Whether one that should be tried earlier stands behind. */
static bool is_early(const struct luks_order *order, const enum rank *ranks, size_t i)
{
	for (size_t j = i + 1; j < order->n; j++)
		if (ranks[order->ids[j]] < ranks[order->ids[i]])
			return true;
	return false;
}

/* Rank by rank, so that what was moved to the end for one rank counts for the next. */
void sequence_plan(const struct inventory *inventory, const struct luks_order *order, bool all,
		   struct luks_order *ret_moves)
{
	enum rank ranks[LUKS_TOKENS], last = all ? RANK_ENDS : RANK_NETWORK;
	struct luks_order now = *order, moves = {0};

	for (size_t i = 0; i < LUKS_TOKENS; i++)
		ranks[i] = RANK_NONE;
	for (size_t i = 0; i < inventory->n; i++)
		ranks[inventory->items[i].id] = rank_of(&inventory->items[i]);

	for (enum rank rank = RANK_NETWORK; rank <= last; rank++)
		for (size_t i = 0; i < now.n;) {
			if (ranks[now.ids[i]] != rank || !is_early(&now, ranks, i)) {
				i++;
				continue;
			}
			moves.ids[moves.n++] = now.ids[i];
			put_last(&now, i);
		}

	*ret_moves = moves;
}

int sequence_warn(const struct luks *luks)
{
	CLEANUP(inventory_done) struct inventory inventory = {0};
	const struct item *other = NULL;
	struct luks_order order;
	int r;

	r = inventory_read(luks, &inventory);
	if (r == 0)
		r = luks_order_read(luks, &order);
	for (size_t i = 0; r == 0 && i < order.n; i++) {
		const struct item *item = inventory_find(&inventory, order.ids[i]);
		enum rank rank = item ? rank_of(item) : RANK_NONE;

		if (!other && rank == RANK_ENDS)
			other = item;
		if (!other || rank > RANK_NETWORK)
			continue;
		output_warn("token %u of type %s is tried before token %u; where it fails, "
			    "systemd before 262 tries no other: --reorder moves it behind",
			    other->id, other->type, item->id);
		break;
	}
	return r;
}

static int move(struct luks *luks, const struct luks_order *moves, const struct signals *held,
		struct output *out)
{
	json_t *moved = json_array();
	int r = moved ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < moves->n; i++) {
		unsigned from = moves->ids[i], to = 0;

		if (signals_came(held))
			r = log_err(luks->log, -EINTR, "interrupted; the order may not be right");
		if (r == 0)
			r = luks_move_token(luks, from, &to);
		if (r < 0)
			break;
		output_say(out, "moved token %u, which is now token %u and tried last", from, to);
		if (json_array_append_new(
			    moved, json_pack("{s:i, s:i}", "from", (int)from, "to", (int)to)) < 0)
			r = -ENOMEM;
	}
	if (json_object_set_new(out->json, "moved", moved) < 0 && r == 0)
		r = -ENOMEM;
	return r;
}

int sequence_set(struct luks *luks, bool all, const struct signals *held, struct output *out)
{
	CLEANUP(inventory_done) struct inventory inventory = {0};
	struct luks_order order, moves;
	int r;

	r = inventory_read(luks, &inventory);
	if (r == 0)
		r = luks_order_read(luks, &order);
	if (r < 0)
		return r;
	sequence_plan(&inventory, &order, all, &moves);
	return move(luks, &moves, held, out);
}

enum exit_code verb_reorder(const struct options *options, struct output *out)
{
	CLEANUP(luks_freep) struct luks *luks = NULL;
	struct signals held;
	int r;

	r = luks_open(options->device, options->header, true, &out->log, &luks);
	if (r < 0)
		return EXIT_CODE_FAILED;

	signals_hold(&held, false);
	r = sequence_set(luks, true, &held, out);
	signals_release(&held);
	if (r == 0 && json_array_size(json_object_get(out->json, "moved")) == 0)
		output_say(out, "the tokens of %s are in the right order; nothing was changed",
			   options->device);
	return r < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}
