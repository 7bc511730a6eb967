/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --import: Clevis's tokens become cotter's, with the JWE, the keyslot and the id that they have. Each is proven
 * while it is Clevis's still, and then changed by one header commit.
 */
#include "enroll/clevis-token.h"
#include "enroll/each.h"
#include "enroll/inventory.h"
#include "enroll/leftover.h"
#include "enroll/luks-copy.h"
#include "enroll/luks-note.h"
#include "enroll/proof.h"
#include "enroll/to-luks2.h"
#include "enroll/verbs.h"

#include <errno.h>
#include <stdio.h>

#define CLEANUP_TEXT CLEANUP(free_text)

/* One token on its way. */
struct import {
	const struct options *options;
	struct output *out;
	struct luks *luks;
	const struct item *item;
	json_t *told; /* borrowed */
	const struct signals *held;
};

/* Why a token is as it was. */
struct reason {
	char why[LOG_LINE_MAX];
};

static void keep_why(void *to, enum log_level level, const char *line)
{
	struct reason *reason = to;

	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(reason->why, sizeof(reason->why), "%s", line);
}

static int report(const struct import *import, const char *state, const char *cause)
{
	json_t *json = json_pack("{s:i, s:o, s:s, s:s*}", "token", (int)import->item->id,
				 "keyslots", inventory_numbers(import->item->keyslots), "state",
				 state, "cause", cause);

	return json_array_append_new(import->told, json) < 0 ? -ENOMEM : 0;
}

/* It has one keyslot, which no other token has. */
static int check_keyslot(const struct import *import, const struct log *log)
{
	uint32_t keyslots = import->item->keyslots;
	int other;

	if (keyslots == 0)
		return log_err(log, -EPERM, "no keyslot belongs to it");
	if (keyslots & (keyslots - 1))
		return log_err(log, -EPERM,
			       "it names several keyslots, of which only one can be its own");
	other = luks_note_other_token(import->luks, import->item->id,
				      (unsigned)__builtin_ctz(keyslots));
	if (other != LUKS_ANY)
		return log_err(log, -EPERM, "keyslot %d is that of token %d as well",
			       __builtin_ctz(keyslots), other);
	return 0;
}

/* Whether there is room for it, on a copy of the header. */
static int rehearse(const struct import *import, const char *text, const struct log *log)
{
	CLEANUP(luks_freep) struct luks *copy = NULL;
	int r;

	r = luks_copy_header(import->luks, &copy);
	if (r < 0)
		return r;
	copy->log = log;
	return luks_note_set_token(copy, import->item->id, text);
}

/* All that can keep it from being cotter's, and its text then. */
static int prepare(const struct import *import, struct reason *reason, char **ret)
{
	const struct log log = {.sink = keep_why, .to = reason};
	CLEANUP_TEXT char *text = NULL;
	const char *type, *json;
	int r;

	r = luks_token(import->luks, import->item->id, &type, &json);
	if (r == 0)
		r = clevis_token_convert(json, import->options->label, &log, &text);
	if (r == 0)
		r = check_keyslot(import, &log);
	if (r == 0)
		r = rehearse(import, text, &log);
	if (r == 0)
		r = proof_run(import->options, import->item->id, (struct ref){0}, import->held,
			      reason->why);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(text);
	return 0;
}

/* What does not come to be cotter's is told, and nothing of it was changed. */
static enum exit_code leave(const struct import *import, int r, const char *why)
{
	const struct options *options = import->options;
	bool named = options->token != OPTIONS_ANY || options->keyslot != OPTIONS_ANY;
	const char *name = import->luks->name;
	unsigned id = import->item->id;

	if (r == -ENOPKG && !named) {
		output_warn("token %u of %s stays Clevis's: %s", id, name, why);
		return report(import, "left", why) < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
	}
	(void)log_err(&import->out->log, r, "token %u of %s stays Clevis's: %s", id, name,
		      why[0] ? why : strerror(-r));
	if (r == -EAGAIN)
		return report(import, "unreachable", why) < 0 ? EXIT_CODE_FAILED : EXIT_CODE_AWAY;
	(void)report(import, "failed", why);
	return EXIT_CODE_FAILED;
}

static enum exit_code import_one(const struct import *import)
{
	const struct item *item = import->item;
	CLEANUP_TEXT char *text = NULL;
	struct reason reason = {0};
	int r;

	r = prepare(import, &reason, &text);
	if (r == 0 && signals_came(import->held)) {
		(void)snprintf(reason.why, sizeof(reason.why), "interrupted");
		r = -EINTR;
	}
	if (r < 0)
		return leave(import, r, reason.why);

	r = luks_note_set_token(import->luks, item->id, text);
	if (r < 0)
		return EXIT_CODE_FAILED;
	output_say(
		import->out,
		"token %u, Clevis's, is cotter's now, with its keyslot %d, which a fresh process "
		"opened by it",
		item->id, __builtin_ctz(item->keyslots));
	return report(import, "imported", NULL) < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

static bool is_wanted(const struct options *options, const struct item *item)
{
	if (options->token != OPTIONS_ANY)
		return (int)item->id == options->token;
	if (options->keyslot != OPTIONS_ANY)
		return item->keyslots & UINT32_C(1) << options->keyslot;
	return true;
}

/* That what was named is not there, or that there was nothing to do. */
static enum exit_code tell_none(const struct import *import)
{
	const struct options *options = import->options;
	const char *name = import->luks->name;

	if (options->token != OPTIONS_ANY)
		(void)log_err(&import->out->log, -ENOENT, "%s has no token %d", name,
			      options->token);
	else if (options->keyslot != OPTIONS_ANY)
		(void)log_err(&import->out->log, -ENOENT, "no token of %s has keyslot %d", name,
			      options->keyslot);
	else
		output_say(import->out, "%s has no binding of Clevis's; nothing was changed", name);
	return options->token == OPTIONS_ANY && options->keyslot == OPTIONS_ANY ? EXIT_CODE_OK
										: EXIT_CODE_FAILED;
}

/* Where one was named it may be another program's, or have been imported before. */
static enum exit_code tell_other(const struct import *import)
{
	const struct item *item = import->item;

	if (!item->ours) {
		(void)log_err(&import->out->log, -EPERM, "token %u of %s is not Clevis's, but %s",
			      item->id, import->luks->name, item->type);
		return EXIT_CODE_FAILED;
	}
	output_say(import->out, "token %u is cotter's already; nothing was changed", item->id);
	return report(import, "present", NULL) < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

static enum exit_code import_all(struct import *import, const struct inventory *inventory)
{
	bool named =
		import->options->token != OPTIONS_ANY || import->options->keyslot != OPTIONS_ANY;
	enum exit_code worst = EXIT_CODE_OK;
	size_t n = 0;

	for (size_t i = 0; i < inventory->n && !signals_came(import->held); i++) {
		bool clevis = strcmp(inventory->items[i].type, TOKEN_TYPE_CLEVIS) == 0;

		import->item = &inventory->items[i];
		if (!is_wanted(import->options, import->item) || (!clevis && !named))
			continue;
		worst = each_worse(worst, clevis ? import_one(import) : tell_other(import));
		n++;
	}
	return n > 0 ? worst : tell_none(import);
}

/* What --to-luks2 alone left, or had nothing to do with. */
static enum exit_code look(const struct options *options, struct output *out)
{
	CLEANUP(luks_freep) struct luks *luks = NULL;

	if (luks_open(options->device, options->header, false, &out->log, &luks) < 0)
		return EXIT_CODE_FAILED;
	if (json_is_false(json_object_get(out->json, "converted")))
		output_say(out, "%s is LUKS2 already; nothing was changed", luks->name);
	return EXIT_CODE_OK;
}

enum exit_code verb_import(const struct options *options, struct output *out)
{
	CLEANUP(inventory_done) struct inventory inventory = {0};
	CLEANUP(luks_freep) struct luks *luks = NULL;
	struct signals held;
	struct import import = {.options = options, .out = out, .held = &held};
	enum exit_code code;
	int r;

	if (options->to_luks2 && to_luks2(options, out) < 0)
		return EXIT_CODE_FAILED;
	if (!options->import)
		return look(options, out);
	import.told = json_array();
	if (json_object_set_new(out->json, "tokens", import.told) < 0)
		return EXIT_CODE_FAILED;
	r = luks_open(options->device, options->header, true, &out->log, &luks);
	if (r == 0)
		r = leftover_clear(luks, out);
	if (r == 0)
		r = inventory_read(luks, &inventory);
	if (r < 0)
		return EXIT_CODE_FAILED;

	import.luks = luks;
	signals_hold(&held, false);
	code = import_all(&import, &inventory);
	signals_release(&held);
	return code;
}
