/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bindings in luksmeta. A JWE is written before its keyslot, so that the keyslot's own commit makes the binding.
 *
 * What replaces a binding is made beside it, in a free keyslot whose luksmeta is marked as what is to come: for which
 * slot, and which keyslot that has now. So there is always one of the two, and the next run can tell how far this
 * came.
 */
#include "enroll/clevis/luks1-gap.h"
#include "enroll/clevis/volume.h"

#include "crypto/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <libcryptsetup.h>

/* The mark: these bytes, the slot, and of a digest of its keyslot's entry in the header as much as fits. */
enum { MARK_SLOT = 4, MARK_PRINT = 5, ENTRY_AT = 208, ENTRY_SIZE = 48, SLOTS = 8 };

static const uint8_t mark_start[MARK_SLOT] = {0xc0, 0x77, 0xe2, 0x01};

struct mark {
	uint8_t uuid[LUKS1_META_UUID_SIZE];
};

/* The salt in it is made anew with each keyslot; whether it is active is not part of it. */
static int mark_make(const struct luks *luks, unsigned slot, struct mark *ret)
{
	uint8_t entry[ENTRY_SIZE], digest[HASH_SIZE_MAX];
	struct ref part = {entry + 4, ENTRY_SIZE - 4};
	int r;

	if (pread(luks->fd, entry, sizeof(entry), ENTRY_AT + (off_t)slot * ENTRY_SIZE) !=
	    sizeof(entry))
		return log_err(luks->log, -EIO, "the header of %s cannot be read", luks->name);
	r = hash_digest("SHA256", &part, 1, digest);
	if (r < 0)
		return r;
	memcpy(ret->uuid, mark_start, sizeof(mark_start));
	ret->uuid[MARK_SLOT] = (uint8_t)slot;
	memcpy(ret->uuid + MARK_PRINT, digest, sizeof(ret->uuid) - MARK_PRINT);
	return 0;
}

/* The slot that this is to come to; -1 where it is no such thing. */
static int mark_slot(const struct luks1_meta_slot *slot)
{
	return slot->data.p && memcmp(slot->uuid, mark_start, sizeof(mark_start)) == 0 &&
			       slot->uuid[MARK_SLOT] < SLOTS
		       ? slot->uuid[MARK_SLOT]
		       : -1;
}

static bool is_active(const struct volume *volume, unsigned slot)
{
	return luks_keyslot(volume->luks, slot) == LUKS_KEYSLOT_ACTIVE;
}

/* Of what is on its way to this slot; -1: nothing is. */
static int coming_to(const struct volume *volume, const struct luks1_meta *meta, unsigned slot)
{
	for (int i = 0; i < SLOTS; i++)
		if (mark_slot(&meta->slots[i]) == (int)slot && i != (int)slot &&
		    is_active(volume, (unsigned)i))
			return i;
	return -1;
}

static int check(struct volume *volume)
{
	CLEANUP(gap_done) struct gap gap = {0};
	int r;

	r = gap_read(volume->luks, &gap);
	return r < 0 ? r : gap.meta.there ? 0 : -ENOENT;
}

static int init(struct volume *volume)
{
	return gap_init(volume->luks);
}

/* As text, without the newline that may end it. */
static int text_of(const struct luks1_meta_slot *slot, char **ret)
{
	size_t n = slot->data.n;

	while (n > 0 && (slot->data.p[n - 1] == '\n' || slot->data.p[n - 1] == ' '))
		n--;
	if (memchr(slot->data.p, '\0', n))
		return -EBADMSG;
	*ret = strndup((const char *)slot->data.p, n);
	return *ret ? 0 : -ENOMEM;
}

static int jwe(struct volume *volume, unsigned slot, char **ret)
{
	CLEANUP(gap_done) struct gap gap = {0};
	struct luks quiet = *volume->luks;
	int r, coming;

	if (slot >= SLOTS)
		return -ENOENT;
	quiet.log = NULL;
	r = gap_read(&quiet, &gap);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	if (luks1_meta_is_clevis(&gap.meta.slots[slot]) || mark_slot(&gap.meta.slots[slot]) >= 0)
		return text_of(&gap.meta.slots[slot], ret);
	coming = coming_to(volume, &gap.meta, slot);
	return coming < 0 ? -ENOENT : text_of(&gap.meta.slots[coming], ret);
}

/* PBKDF2 at its minimum, for a secret that is random. */
static int add_keyslot(struct volume *volume, const struct volume_binding *binding, unsigned slot)
{
	static const struct crypt_pbkdf_type minimal = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha256", /* LUKS1 takes its header's */
		.iterations = 1000,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct luks *luks = volume->luks;
	int r;

	luks->said[0] = '\0';
	r = crypt_set_pbkdf_type(luks->cd, &minimal);
	if (r == 0)
		r = crypt_keyslot_add_by_volume_key(
			luks->cd, (int)slot, (const char *)binding->volume_key.p,
			binding->volume_key.n, (const char *)binding->secret.p, binding->secret.n);
	if (r < 0)
		return log_err(luks->log, -EIO, "keyslot %u could not be added to %s: %s", slot,
			       luks->name, luks_cause(luks, r));
	return 0;
}

/*
 * What was marked is marked as going to no slot but its own, with its own keyslot, which is known by that even once
 * it is half destroyed.
 */
static int mark_going(struct volume *volume, unsigned slot)
{
	CLEANUP(gap_done) struct gap gap = {0};
	struct mark mark;
	int r;

	r = gap_read(volume->luks, &gap);
	if (r < 0 || mark_slot(&gap.meta.slots[slot]) < 0)
		return r;
	r = mark_make(volume->luks, slot, &mark);
	return r < 0 ? r : gap_give(volume->luks, slot, mark.uuid);
}

/* Key before name. What reached the disk may differ from what libcryptsetup believes after a failure. */
static int drop(struct volume *volume, unsigned slot)
{
	int r = 0;

	if (crypt_load(volume->luks->cd, CRYPT_LUKS1, NULL) < 0)
		return log_err(volume->luks->log, -EIO, "the header of %s cannot be read",
			       volume->luks->name);
	if (is_active(volume, slot))
		r = mark_going(volume, slot);
	if (r == 0 && is_active(volume, slot))
		r = luks_remove_keyslot(volume->luks, slot);
	return r < 0 ? r : gap_drop(volume->luks, slot);
}

/* Of a keyslot that is free: what an interrupted run, or Clevis, left of one that was there makes room. */
static int clear(struct volume *volume, unsigned slot)
{
	CLEANUP(gap_done) struct gap gap = {0};
	const struct luks1_meta_slot *meta;
	int r;

	r = gap_read(volume->luks, &gap);
	if (r < 0)
		return r;
	meta = &gap.meta.slots[slot];
	if (!meta->data.p)
		return 0;
	if (!luks1_meta_is_clevis(meta) && mark_slot(meta) < 0)
		return log_err(volume->luks->log, -EEXIST,
			       "luksmeta has something of another program's for keyslot %u of %s",
			       slot, volume->luks->name);
	return gap_drop(volume->luks, slot);
}

/* Both halves of a binding, in a keyslot that is free. On failure neither stays. */
static int make(struct volume *volume, const struct volume_binding *binding, unsigned slot,
		const uint8_t *uuid)
{
	int r;

	r = clear(volume, slot);
	if (r < 0)
		return r;
	r = gap_save(volume->luks, slot, uuid, binding->jwe);
	if (r == 0)
		r = add_keyslot(volume, binding, slot);
	if (r == 0 && luks_keyslot_opens(volume->luks, slot, binding->secret) < 0)
		r = log_err(volume->luks->log, -EIO,
			    "the new keyslot %u of %s does not open, so it is removed again", slot,
			    volume->luks->name);
	if (r < 0)
		return drop(volume, slot) < 0 ? -EIO : r;
	return 0;
}

static int make_and_prove(struct volume *volume, const struct volume_binding *binding,
			  unsigned slot, const uint8_t *uuid)
{
	int r;

	r = make(volume, binding, slot, uuid);
	if (r < 0 || !binding->prove)
		return r;
	r = binding->prove(binding->arg, volume, slot);
	if (r < 0)
		return drop(volume, slot) < 0 ? -EIO : r;
	return 0;
}

static int add(struct volume *volume, const struct volume_binding *binding, unsigned *ret)
{
	unsigned slot = (unsigned)binding->slot;
	int r;

	r = binding->slot == VOLUME_ANY ? volume_free_slot(volume, &slot) : 0;
	if (r == 0 && luks_keyslot(volume->luks, slot) != LUKS_KEYSLOT_FREE)
		r = log_err(volume->luks->log, -EEXIST, "keyslot %u of %s is taken", slot,
			    volume->luks->name);
	if (r == 0)
		r = make_and_prove(volume, binding, slot, luks1_meta_clevis);
	if (r < 0)
		return r;
	*ret = slot;
	return 0;
}

/* Whether the keyslot at `slot` is the one that was there when the mark was made. */
static bool is_marked(const struct luks *luks, unsigned slot, const uint8_t *uuid)
{
	struct mark now;

	return mark_make(luks, slot, &now) == 0 && memcmp(now.uuid, uuid, sizeof(now.uuid)) == 0;
}

/* What is at `from`, proven, comes to binding->slot, and the old keyslot there goes. */
static int finish(struct volume *volume, const struct volume_binding *binding, unsigned from,
		  const uint8_t *uuid)
{
	struct luks *luks = volume->luks;
	unsigned slot = (unsigned)binding->slot;
	int r = 0;

	if (is_active(volume, slot) && luks_keyslot_opens(luks, slot, binding->secret) < 0) {
		if (!is_marked(luks, slot, uuid)) /* somebody took it meanwhile */
			return gap_give(luks, from, luks1_meta_clevis);
		r = luks_remove_keyslot(luks, slot);
	}
	if (r == 0 && !is_active(volume, slot))
		r = make(volume, binding, slot, luks1_meta_clevis);
	return r < 0 ? r : drop(volume, from);
}

static int replace(struct volume *volume, const struct volume_binding *binding, struct ref old)
{
	struct mark mark;
	unsigned from;
	int r;

	(void)old;
	r = volume_free_slot(volume, &from);
	if (r == 0)
		r = mark_make(volume->luks, (unsigned)binding->slot, &mark);
	if (r == 0)
		r = make_and_prove(volume, binding, from, mark.uuid);
	return r < 0 ? r : finish(volume, binding, from, mark.uuid);
}

static int remove_binding(struct volume *volume, unsigned slot)
{
	CLEANUP(gap_done) struct gap gap = {0};
	int r, coming;

	r = gap_read(volume->luks, &gap);
	if (r < 0)
		return r;
	coming = coming_to(volume, &gap.meta, slot);
	if (!luks1_meta_is_clevis(&gap.meta.slots[slot]) && coming < 0)
		return log_err(volume->luks->log, -ENOENT, "slot %u of %s has no binding", slot,
			       volume->luks->name);
	r = coming < 0 ? 0 : drop(volume, (unsigned)coming);
	if (r == 0 && luks1_meta_is_clevis(&gap.meta.slots[slot]))
		r = drop(volume, slot);
	return r;
}

/* With what its own JWE recovers, which must open the keyslot that it has now. */
static int resume_from(struct volume *volume, unsigned from, const struct luks1_meta_slot *meta,
		       volume_recover *recover, void *arg)
{
	struct volume_binding binding = {.slot = mark_slot(meta), .token = VOLUME_ANY};
	CLEANUP(buf_done) struct buf volume_key = {0};
	CLEANUP(buf_done) struct buf secret = {0};
	CLEANUP(free_text) char *text = NULL;
	int r;

	r = text_of(meta, &text);
	if (r < 0 || recover(arg, text, &secret) < 0)
		return r == -ENOMEM ? r : 0;
	r = luks_unlock_keyslot(volume->luks, (int)from, buf_ref(&secret), &volume_key);
	if (r < 0)
		return r == -EPERM ? 0 : r;
	binding.jwe = text;
	binding.secret = buf_ref(&secret);
	binding.volume_key = buf_ref(&volume_key);
	return finish(volume, &binding, from, meta->uuid);
}

static int resume(struct volume *volume, volume_recover *recover, void *arg)
{
	CLEANUP(gap_done) struct gap gap = {0};
	int r;

	r = gap_read(volume->luks, &gap);
	for (unsigned i = 0; r == 0 && i < SLOTS; i++) {
		if (mark_slot(&gap.meta.slots[i]) < 0)
			continue;
		if (!is_active(volume, i))
			r = gap_drop(volume->luks, i);
		else if (mark_slot(&gap.meta.slots[i]) == (int)i)
			r = is_marked(volume->luks, i, gap.meta.slots[i].uuid)
				    ? drop(volume, i)
				    : gap_drop(volume->luks, i); /* somebody took it meanwhile */
		else if (recover)
			r = resume_from(volume, i, &gap.meta.slots[i], recover, arg);
	}
	return r;
}

const struct volume_format volume_luks1 = {
	.name = "luks1",
	.slots = SLOTS,
	.check = check,
	.init = init,
	.jwe = jwe,
	.add = add,
	.replace = replace,
	.remove = remove_binding,
	.resume = resume,
};
