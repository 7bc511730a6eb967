/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes tokens over, one header commit after another. */
#include "enroll/luks-takeover.h"

#include "enroll/luks-copy.h"
#include "enroll/luks-note.h"

#include <errno.h>
#include <stdlib.h>

#include <libcryptsetup.h>

#define CLEANUP_TEXT CLEANUP(free_text)

void luks_takeover_done(struct luks_takeover *takeover)
{
	free(takeover->before);
	*takeover = (struct luks_takeover){0};
}

int luks_takeover_possible(const struct luks *luks, unsigned token, unsigned *ret_keyslot)
{
	uint32_t keyslots = luks_token_keyslots(luks, token);
	unsigned keyslot = keyslots ? (unsigned)__builtin_ctz(keyslots) : 0;
	int other;

	if (keyslots == 0)
		return log_err(luks->log, -EPERM,
			       "no keyslot belongs to token %u of %s; remove it with "
			       "--wipe-slot=orphaned",
			       token, luks->name);
	if (keyslots & (keyslots - 1))
		return log_err(luks->log, -EPERM,
			       "token %u of %s names several keyslots, of which only one can be "
			       "its own; remove the others with --wipe-slot=N",
			       token, luks->name);
	other = luks_note_other_token(luks, token, keyslot);
	if (other != LUKS_ANY)
		return log_err(luks->log, -EPERM,
			       "keyslot %u of %s is that of token %d as well as of token %u, and "
			       "would be lost to it; remove one of the two with cryptsetup token "
			       "remove",
			       keyslot, luks->name, other, token);

	*ret_keyslot = keyslot;
	return 0;
}

/* What the new token says until the old keyslot is gone. */
static struct luks_unfinished_note new_note(const struct luks_takeover *takeover, int token)
{
	return (struct luks_unfinished_note){
		.token = token,
		.keyslot = takeover->keyslot,
		.secret = takeover->secret,
		.by = takeover->binding.secret,
		.print = takeover->print,
	};
}

/* What the old token says, where cramped, while the new keyslot has no token of its own. */
static struct luks_unfinished_note old_note(const struct luks *luks,
					    const struct luks_takeover *takeover, unsigned keyslot)
{
	struct luks_unfinished_note note = {
		.token = LUKS_ANY,
		.keyslot = keyslot,
		.secret = takeover->secret.p ? takeover->binding.secret : (struct ref){0},
		.by = takeover->secret,
	};

	if (luks_note_print(luks, keyslot, &note.print) < 0)
		note.print = (struct luks_print){0}; /* not there yet */
	return note;
}

static int begin_beside(struct luks *luks, const struct luks_takeover *takeover, struct bound *ret)
{
	const struct luks_unfinished_note note = new_note(takeover, (int)takeover->token);
	struct binding binding = takeover->binding;
	CLEANUP_TEXT char *noted = NULL;
	int r;

	r = luks_unfinished_write(binding.json, &note, LUKS_ANY, &noted);
	if (r < 0)
		return r;
	binding.json = noted;
	binding.token = LUKS_ANY;
	return luks_bind_make(luks, &binding, ret);
}

static int free_keyslot(const struct luks *luks)
{
	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++)
		if (luks_keyslot(luks, i) == LUKS_KEYSLOT_FREE)
			return (int)i;
	return LUKS_ANY;
}

static int undo_cramped(struct luks *luks, const struct luks_takeover *takeover, unsigned keyslot)
{
	const struct luks_unfinished_note note = old_note(luks, takeover, keyslot);
	int r = 0;

	/* Its key before its name, and first of all the old token. */
	if (luks_keyslot(luks, keyslot) != LUKS_KEYSLOT_FREE) {
		r = luks_note_set(luks, takeover->token, takeover->before, &note, LUKS_ANY);
		if (r == 0)
			r = luks_remove_keyslot(luks, keyslot);
	}
	return r < 0 ? r : luks_note_set_token(luks, takeover->token, takeover->before);
}

static int begin_cramped(struct luks *luks, const struct luks_takeover *takeover, struct bound *ret)
{
	const struct luks_unfinished_note after = new_note(takeover, LUKS_ANY);
	struct binding binding = takeover->binding;
	struct luks_unfinished_note before;
	int r;

	if (binding.keyslot == LUKS_ANY)
		binding.keyslot = free_keyslot(luks);
	if (binding.keyslot == LUKS_ANY)
		return luks_bind_keyslot(luks, &binding, takeover->token); /* which tells it */

	before = old_note(luks, takeover, (unsigned)binding.keyslot);
	r = luks_note_set(luks, takeover->token, takeover->before, &before, LUKS_ANY);
	if (r == 0)
		r = luks_bind_keyslot(luks, &binding, takeover->token);
	if (r >= 0)
		r = luks_note_set(luks, takeover->token, binding.json, &after, binding.keyslot);
	if (r < 0) {
		int undone = crypt_load(luks->cd, CRYPT_LUKS2, NULL);

		if (undone == 0)
			undone = undo_cramped(luks, takeover, (unsigned)binding.keyslot);
		return undone < 0 ? -EIO : r;
	}

	*ret = (struct bound){.keyslot = (unsigned)binding.keyslot, .token = takeover->token};
	return 0;
}

int luks_takeover_begin(struct luks *luks, const struct luks_takeover *takeover, struct bound *ret)
{
	return takeover->cramped ? begin_cramped(luks, takeover, ret)
				 : begin_beside(luks, takeover, ret);
}

int luks_takeover_undo(struct luks *luks, const struct luks_takeover *takeover,
		       const struct bound *bound)
{
	int r;

	if (!takeover->cramped)
		return luks_bind_undo(luks, &takeover->binding, bound);

	r = crypt_load(luks->cd, CRYPT_LUKS2, NULL);
	if (r == 0)
		r = undo_cramped(luks, takeover, bound->keyslot);
	if (r < 0)
		return log_err(luks->log, -EIO,
			       "token %u of %s may be the new one, with keyslot %u; see --list",
			       takeover->token, luks->name, bound->keyslot);
	return 0;
}

int luks_takeover_finish(struct luks *luks, const struct luks_takeover *takeover,
			 struct bound *bound)
{
	const struct luks_unfinished_note note = new_note(takeover, LUKS_ANY);
	const char *json = takeover->binding.json;
	int keyslot = (int)bound->keyslot, r = 0;

	if (!takeover->cramped) {
		r = luks_note_set(luks, takeover->token, json, &note, keyslot);
		if (r == 0)
			r = luks_remove_token(luks, bound->token);
	}
	if (r == 0)
		r = luks_remove_keyslot(luks, takeover->keyslot);
	if (r == 0)
		r = luks_note_set(luks, takeover->token, json, NULL, keyslot);
	if (r < 0)
		return r;

	bound->token = takeover->token;
	return 0;
}

static int rehearse(struct luks *luks, const struct luks_takeover *takeover, bool aloud)
{
	CLEANUP(luks_freep) struct luks *copy = NULL;
	struct bound bound;
	int r;

	r = luks_copy_header(luks, &copy);
	if (r < 0)
		return r;
	if (!aloud)
		copy->log = NULL;
	r = luks_takeover_begin(copy, takeover, &bound);
	return r < 0 ? r : luks_takeover_finish(copy, takeover, &bound);
}

int luks_takeover_rehearse(struct luks *luks, struct luks_takeover *takeover)
{
	const char *type, *json;
	int r;

	r = luks_token(luks, takeover->token, &type, &json);
	if (r < 0)
		return log_err(luks->log, r, "token %u of %s is gone", takeover->token, luks->name);
	free(takeover->before);
	takeover->before = strdup(json); /* borrowed until the header changes */
	if (!takeover->before)
		return -ENOMEM;

	r = luks_note_print(luks, takeover->keyslot, &takeover->print);
	if (r < 0)
		return log_err(luks->log, r, "keyslot %u of %s is gone", takeover->keyslot,
			       luks->name);
	takeover->cramped = false;
	r = rehearse(luks, takeover, false);
	if (r != -ENOSPC)
		return r < 0 ? rehearse(luks, takeover, true) : 0;
	takeover->cramped = true;
	return rehearse(luks, takeover, true);
}
