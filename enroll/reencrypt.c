/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new volume key, from the first look at the credentials to the last token that goes. */
#include "enroll/reencrypt.h"

#include "enroll/busy.h"
#include "enroll/luks-reencrypt.h"
#include "enroll/luks-settle.h"
#include "enroll/reencrypt-apart.h"
#include "enroll/reencrypt-credentials.h"
#include "enroll/reencrypt-keep.h"
#include "enroll/reencrypt-torn.h"

#include <errno.h>
#include <stdio.h>

/* One run. */
struct work {
	struct luks *luks;
	const struct options *options;
	struct inventory inventory;
	struct output *out;
	struct credentials credentials;
	struct keep keep;
	struct keep_note note;
	bool resumed;
};

static void work_done(struct work *work)
{
	inventory_done(&work->inventory);
	credentials_done(&work->credentials);
}

/* The id of the token that says what a run of ours was about; LUKS_ANY where there is none. */
static int find_note(const struct luks *luks, struct keep_note *ret)
{
	const char *type, *json;

	for (unsigned i = 0; i < LUKS_TOKENS; i++)
		if (luks_token(luks, i, &type, &json) == 0 && strcmp(type, keep_note_type) == 0 &&
		    keep_note_parse(json, ret) == 0)
			return (int)i;
	return LUKS_ANY;
}

static int check_use(const struct luks *luks, const char *path)
{
	int r;

	r = busy_look("", path);
	if (r == -EBUSY)
		return log_err(luks->log, r,
			       "%s is in use; it can be re-encrypted only while it is not: close "
			       "its volume, or do this from another system",
			       path);
	if (r < 0)
		return log_err(luks->log, r, "it cannot be told whether %s is in use: %s", path,
			       strerror(-r));
	return 0;
}

int reencrypt_mend(const struct options *options, const struct log *log)
{
	return torn_mend(options->header ? options->header : options->device, log);
}

int reencrypt_check(struct luks *luks, const struct options *options)
{
	enum luks_reencryption state = luks_reencryption(luks);
	struct keep_note note;
	int r;

	r = check_use(luks, options->device);
	if (r == 0 && options->header)
		r = check_use(luks, options->header);
	if (r == 0)
		r = luks_reencrypt_possible(luks);
	if (r < 0 || state == LUKS_REENCRYPTION_NONE)
		return r;

	if (state == LUKS_REENCRYPTION_OTHER || find_note(luks, &note) == LUKS_ANY)
		return log_err(
			luks->log, -EBUSY,
			"another program has begun to re-encrypt %s; let it finish first, as "
			"with: cryptsetup reencrypt --resume-only %s",
			luks->name, luks->name);
	return 0;
}

/* What has gone and what has stayed, as in the header now. */
static int reread(struct work *work)
{
	inventory_done(&work->inventory);
	return inventory_read(work->luks, &work->inventory);
}

/* Removes the keyslots that hold no more than a key not yet in use, then the note of them. */
static int undo(struct work *work)
{
	struct luks *luks = work->luks;
	uint32_t left;
	int id, r;

	r = luks_reload(luks);
	id = r == 0 ? find_note(luks, &work->note) : LUKS_ANY;
	if (id != LUKS_ANY)
		r = reread(work);
	left = id == LUKS_ANY ? 0 : work->note.keyslots & work->inventory.unbound;
	for (unsigned i = 0; r == 0 && i < LUKS_KEYSLOTS; i++)
		if (left & UINT32_C(1) << i)
			r = luks_remove_keyslot(luks, i);
	if (r == 0 && id != LUKS_ANY)
		r = luks_remove_token(luks, (unsigned)id);
	return r < 0 ? r : reread(work);
}

/* "its token 1 (cotter-tang, "office") cannot be recovered: …" */
static void explain(const struct work *work, unsigned keyslot, char ret[LOG_LINE_MAX])
{
	const char *why = NULL;
	size_t n = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < work->inventory.n && n < LOG_LINE_MAX; i++) {
		const struct item *item = &work->inventory.items[i];

		if (!(item->keyslots & UINT32_C(1) << keyslot))
			continue;
		n += (size_t)snprintf(ret + n, LOG_LINE_MAX - n, " with token %u (%s%s%s)",
				      item->id, item->type, item->token.label ? ", " : "",
				      item->token.label ? item->token.label : "");
		if (work->credentials.why[item->id][0])
			why = work->credentials.why[item->id];
	}
	if (n < LOG_LINE_MAX)
		(void)snprintf(ret + n, LOG_LINE_MAX - n, ": %s",
			       why ? why : "none of the credentials opens it");
}

static int add_lost(const struct work *work)
{
	json_t *lost = json_pack("{s:b, s:{s:o, s:o}}", "resumed", work->resumed, "lost",
				 "keyslots", inventory_numbers(work->keep.lost_keyslots), "tokens",
				 inventory_numbers(work->keep.lost_tokens));

	return json_object_set_new(work->out->json, "reencryption", lost) < 0 ? -ENOMEM : 0;
}

/* What would not survive, refused unless that is wanted. */
static int tell_lost(const struct work *work)
{
	const struct luks *luks = work->luks;
	bool force = work->options->force;

	if (work->keep.keyslots == 0)
		return log_err(luks->log, -EPERM, "no credential opens a keyslot of %s",
			       luks->name);

	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++) {
		char why[LOG_LINE_MAX];

		if (!(work->keep.lost_keyslots & UINT32_C(1) << i))
			continue;
		explain(work, i, why);
		if (force)
			output_warn("keyslot %u%.300s; it goes", i, why);
		else
			(void)log_err(luks->log, 0, "keyslot %u would not survive%.400s", i, why);
	}
	if (work->keep.lost_keyslots == 0 || force)
		return 0;
	return log_err(luks->log, -EPERM,
		       "nothing was changed; give --keep-key-file=FILE for each keyslot that is to "
		       "stay, and --force to lose the others");
}

static int check_room(const struct work *work, unsigned numbers[LUKS_KEYSLOTS])
{
	const struct luks *luks = work->luks;
	unsigned missing = 0, count = (unsigned)__builtin_popcount(work->keep.keyslots);
	struct luks_room room;

	int r;

	if (keep_numbers(&work->inventory, &work->keep, numbers, &missing) < 0)
		return log_err(luks->log, -ENOSPC,
			       "%s has %u free keyslots too few: a re-encryption takes as many as "
			       "stay and one more; remove some first",
			       luks->name, missing);
	r = luks_reencrypt_room(luks, &room);
	if (r < 0)
		return log_err(luks->log, r, "the header of %s cannot be read: %s", luks->name,
			       strerror(-r));
	if (room.area < count * room.keyslot + LUKS_REENCRYPT_AREA)
		return log_err(luks->log, -ENOSPC,
			       "the keyslots' area of %s is too full: a re-encryption takes %u "
			       "keyslots more and room to work; remove keyslots first",
			       luks->name, count);
	if (room.json < LUKS_REENCRYPT_JSON + (size_t)count * LUKS_REENCRYPT_KEYSLOT_JSON)
		return log_err(
			luks->log, -ENOSPC,
			"the JSON area of %s is too full: a re-encryption takes %zu bytes of "
			"it, and %zu are left; remove tokens or keyslots first",
			luks->name,
			LUKS_REENCRYPT_JSON + (size_t)count * LUKS_REENCRYPT_KEYSLOT_JSON,
			room.json);
	return 0;
}

static int write_note(struct work *work, const unsigned numbers[LUKS_KEYSLOTS])
{
	CLEANUP(free_text) char *json = NULL;
	int r;

	work->note = (struct keep_note){
		.old = work->inventory.active,
		.tokens = work->keep.lost_tokens,
	};
	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++)
		if (work->keep.keyslots & UINT32_C(1) << i)
			work->note.keyslots |= UINT32_C(1) << numbers[i];
	r = keep_note_format(&work->note, &json);
	return r < 0 ? r : luks_add_token(work->luks, json);
}

/* A keyslot of the new key for each that survives, and the order to re-encrypt. */
static int write_keyslots(struct work *work, const unsigned numbers[LUKS_KEYSLOTS],
			  const struct signals *held)
{
	CLEANUP(buf_done) struct buf key = {0};
	struct luks_twin twin = {0};
	int r;

	r = luks_reencrypt_new_key(work->luks, &key);
	for (unsigned i = 0; r == 0 && i < LUKS_KEYSLOTS; i++) {
		if (!(work->keep.keyslots & UINT32_C(1) << i))
			continue;
		twin = (struct luks_twin){
			.old = i,
			.keyslot = numbers[i],
			.secret = buf_ref(&credentials_find(&work->credentials, i)->secret),
			.key = buf_ref(&key),
		};
		r = signals_came(held) ? -EINTR : luks_reencrypt_add(work->luks, &twin);
	}
	if (r == 0 && signals_came(held))
		r = -EINTR;
	return r < 0 ? r : luks_reencrypt_begin(work->luks, &twin);
}

static int begin(struct work *work, const struct signals *held)
{
	struct luks *luks = work->luks;
	unsigned numbers[LUKS_KEYSLOTS];
	uint32_t opened = 0;
	int r;

	r = credentials_try(luks, &work->inventory, &work->credentials);
	for (size_t i = 0; i < work->credentials.n; i++)
		opened |= work->credentials.list[i].opens;
	keep_decide(&work->inventory, opened, &work->keep);
	if (r == 0)
		r = tell_lost(work);
	if (r == 0)
		r = check_room(work, numbers);
	if (r < 0)
		return r;

	r = write_note(work, numbers);
	if (r == 0)
		r = write_keyslots(work, numbers, held);
	if (r == 0)
		return 0;
	if (luks_reload(luks) == 0 && luks_reencryption(luks) != LUKS_REENCRYPTION_NONE)
		return r;
	if (undo(work) < 0)
		return log_err(luks->log, r,
			       "keyslots without use are left in %s; the same command removes them",
			       luks->name);
	return r == -EINTR ? log_err(luks->log, r, "interrupted; nothing was changed") : r;
}

/* Until the header holds the new key alone. */
static int go_on(struct work *work, struct ref secret, const struct signals *held)
{
	struct luks *luks = work->luks;
	struct progress progress = {.quiet = work->options->quiet};
	int r = 0;

	while (r == 0) {
		switch (luks_reencryption(luks)) {
		case LUKS_REENCRYPTION_NONE:
			return 0;
		case LUKS_REENCRYPTION_CLEAN:
			r = apart_run(work->options, secret, held, luks->log, &progress);
			if (r == 0)
				r = luks_reload(luks);
			break;
		case LUKS_REENCRYPTION_CRASH:
			r = luks_settle(luks, secret, LUKS_SETTLE_RECOVER);
			break;
		case LUKS_REENCRYPTION_WRITTEN:
			r = luks_settle(luks, secret, LUKS_SETTLE_FINISH);
			break;
		default:
			r = -EIO;
			break;
		}
	}
	return log_err(luks->log, r,
		       "%s%s opens as before; the same command goes on where this stopped",
		       r == -EINTR ? "interrupted; " : "", luks->name);
}

static int clear_up(struct work *work)
{
	struct luks *luks = work->luks;
	const char *type, *json;
	int id = find_note(luks, &work->note), r = 0;

	if (id == LUKS_ANY)
		return 0;
	for (unsigned i = 0; r == 0 && i < LUKS_TOKENS; i++)
		if (work->note.tokens & UINT32_C(1) << i &&
		    luks_token(luks, i, &type, &json) == 0 && luks_token_keyslots(luks, i) == 0)
			r = luks_remove_token(luks, i);
	return r < 0 ? r : luks_remove_token(luks, (unsigned)id);
}

static int run(struct work *work, const struct signals *held, struct buf *ret_key)
{
	struct luks *luks = work->luks;
	bool noted = find_note(luks, &work->note) != LUKS_ANY;
	bool under_way = luks_reencryption(luks) != LUKS_REENCRYPTION_NONE;
	bool ended = noted && !under_way && !(work->note.old & work->inventory.active);
	const struct credential *credential;
	int r = 0;

	work->resumed = under_way || ended;
	if (noted && !work->resumed)
		r = undo(work);
	if (r == 0 && !work->resumed)
		r = begin(work, held);
	if (r < 0)
		return r;

	credential = credentials_any(luks, &work->credentials);
	if (!credential)
		return log_err(luks->log, -EPERM, "no credential opens a keyslot of %s that stays",
			       luks->name);
	if (work->resumed)
		output_say(work->out, "going on with the re-encryption of %s", luks->name);
	r = go_on(work, buf_ref(&credential->secret), held);
	if (r == 0)
		r = clear_up(work);
	if (r == 0)
		r = luks_unlock_by_passphrase(luks, buf_ref(&credential->secret), ret_key);
	if (r == -EPERM)
		return log_err(luks->log, r, "%s does not open by its new keyslots", luks->name);
	return r;
}

int reencrypt_first(struct luks *luks, const struct options *options, struct output *out,
		    struct buf *ret_key)
{
	CLEANUP(work_done) struct work work = {.luks = luks, .options = options, .out = out};
	struct signals held;
	int r;

	r = inventory_read(luks, &work.inventory);
	if (r == 0)
		r = credentials_gather(luks, options, &work.inventory, &work.credentials);
	if (r < 0)
		return r;

	signals_hold(&held, false);
	r = run(&work, &held, ret_key);
	signals_release(&held);
	if (r == 0)
		output_say(out, "re-encrypted %s: its volume key is a new one", luks->name);
	if (add_lost(&work) < 0 && r == 0)
		r = -ENOMEM;
	return r;
}
