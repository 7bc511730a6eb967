/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes bindings, on a copy of the header first. */
#include "enroll/luks-bind.h"

#include "crypto/js.h"
#include "enroll/luks-copy.h"
#include "token/handler.h"

#include <errno.h>
#include <unistd.h>

DEFINE_CLEANUP(struct crypt_keyslot_context *, crypt_keyslot_context_free)

enum {
	JSON_OFFSET = 4096,      /* of the JSON area in a LUKS2 header */
	KEYSLOT_JSON_SIZE = 350, /* about what a keyslot takes of it */
	MINIMAL_ITERATIONS = 1000,
};

static size_t json_area(const struct luks *luks)
{
	uint64_t metadata, keyslots;

	if (crypt_get_metadata_size(luks->cd, &metadata, &keyslots) < 0)
		return 0;
	return (size_t)metadata - JSON_OFFSET;
}

/* Bytes of JSON that the header on disk holds. */
static size_t json_used(const struct luks *luks)
{
	CLEANUP(buf_done) struct buf json = {0};
	size_t area = json_area(luks);

	if (buf_init(&json, area) < 0 ||
	    pread(luks->fd, json.p, area, JSON_OFFSET) != (ssize_t)area)
		return 0;
	return strnlen((const char *)json.p, area);
}

static bool all_tokens_taken(const struct luks *luks)
{
	const char *type, *json;

	for (unsigned i = 0; i < LUKS_TOKENS; i++)
		if (luks_token(luks, i, &type, &json) < 0)
			return false;
	return true;
}

static bool all_keyslots_taken(const struct luks *luks)
{
	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++)
		if (luks_keyslot(luks, i) == LUKS_KEYSLOT_FREE)
			return false;
	return true;
}

/* Twice what is there is enough for most; LUKS2 has these sizes alone. */
static const char *larger_area(size_t wanted)
{
	static const struct {
		size_t size;
		const char *name;
	} areas[] = {{64, "64k"},   {128, "128k"}, {256, "256k"},
		     {512, "512k"}, {1024, "1m"},  {2048, "2m"}};

	for (size_t i = 0; i < ARRAY_SIZE(areas); i++)
		if (wanted <= areas[i].size * 1024 - JSON_OFFSET)
			return areas[i].name;
	return "4m";
}

/* `than` is "" or "at least ", where the size is not known yet. */
static int no_room(const struct luks *luks, const char *than, size_t size, size_t used)
{
	return log_err(
		luks->log, -ENOSPC,
		"the header of %s has no room: its JSON area takes %zu bytes and holds %zu, this "
		"token needs %s%zu and its keyslot about %d; remove tokens, or make the volume "
		"with a larger area (cryptsetup luksFormat --luks2-metadata-size=%s)",
		luks->name, json_area(luks), used, than, size, KEYSLOT_JSON_SIZE,
		larger_area(2 * (used + size + KEYSLOT_JSON_SIZE)));
}

int luks_bind_no_room(const struct luks *luks, size_t size)
{
	return no_room(luks, "", size, json_used(luks));
}

/* Bytes of the largest token of ours that has no keyslot: it may be the one to be written over. */
static size_t largest_orphan(const struct luks *luks)
{
	const char *type, *json;
	size_t largest = 0;

	for (unsigned i = 0; i < LUKS_TOKENS; i++)
		if (luks_token(luks, i, &type, &json) == 0 && luks_token_keyslots(luks, i) == 0 &&
		    strncmp(type, TOKEN_TYPE_PREFIX, strlen(TOKEN_TYPE_PREFIX)) == 0 &&
		    strlen(json) > largest)
			largest = strlen(json);
	return largest;
}

int luks_bind_room(const struct luks *luks, size_t size)
{
	size_t used = json_used(luks);

	return used + size < json_area(luks) + largest_orphan(luks)
		       ? 0
		       : no_room(luks, "at least ", size, used);
}

static int write_token(struct luks *luks, const struct binding *binding)
{
	size_t used = json_used(luks);
	int r;

	if (binding->token == LUKS_ANY && all_tokens_taken(luks))
		return log_err(luks->log, -ENOSPC,
			       "all %d token ids of %s are taken; remove a token first",
			       LUKS_TOKENS, luks->name);

	luks->said[0] = '\0';
	r = luks_set_token(luks, binding->token, binding->json);
	if (r == -ENOSPC)
		return no_room(luks, "", strlen(binding->json), used);
	if (r < 0)
		return log_err(luks->log, -EIO, "the token could not be written to %s: %s",
			       luks->name, luks_cause(luks, r));
	return r;
}

static int set_pbkdf(const struct luks *luks, const char *name)
{
	static const struct crypt_pbkdf_type minimal = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha512",
		.iterations = MINIMAL_ITERATIONS,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	const struct crypt_pbkdf_type *pbkdf = name ? crypt_get_pbkdf_type_params(name) : &minimal;

	return pbkdf ? crypt_set_pbkdf_type(luks->cd, pbkdf) : -EINVAL;
}

/* The keyslot, opened by the token's secret and assigned to the token in the same commit. */
static int add_keyslot(const struct luks *luks, const struct binding *binding, int token)
{
	CLEANUP(crypt_keyslot_context_freep) struct crypt_keyslot_context *old = NULL, *new = NULL;
	struct luks_given given = {.secret = binding->secret};
	int r;

	r = set_pbkdf(luks, binding->pbkdf);
	if (r == 0)
		r = crypt_keyslot_context_init_by_volume_key(
			luks->cd, (const char *)binding->volume_key.p, binding->volume_key.n, &old);
	if (r == 0)
		r = crypt_keyslot_context_init_by_token(luks->cd, token, NULL, NULL, 0, &given,
							&new);
	if (r == 0)
		r = crypt_keyslot_add_by_keyslot_context(luks->cd, CRYPT_ANY_SLOT, old,
							 binding->keyslot, new, 0);
	return r;
}

/* Whether less is left of the keyslots' area than a keyslot like the others takes. */
static bool keyslots_area_full(const struct luks *luks)
{
	uint64_t metadata, left, offset, length, largest = 0;

	if (crypt_get_metadata_size(luks->cd, &metadata, &left) < 0)
		return false;
	for (int i = 0; i < LUKS_KEYSLOTS; i++) {
		if (crypt_keyslot_area(luks->cd, i, &offset, &length) < 0)
			continue;
		left -= length < left ? length : left;
		largest = length > largest ? length : largest;
	}
	return left < largest;
}

int luks_bind_keyslot(struct luks *luks, const struct binding *binding, unsigned token)
{
	size_t used = json_used(luks);
	int r;

	if (binding->keyslot == LUKS_ANY && all_keyslots_taken(luks))
		return log_err(luks->log, -ENOSPC,
			       "all %d keyslots of %s are taken; remove one first", LUKS_KEYSLOTS,
			       luks->name);

	luks->said[0] = '\0';
	r = add_keyslot(luks, binding, (int)token);
	if (r == -ENOSPC)
		return no_room(luks, "", strlen(binding->json), used);
	if (r < 0 && keyslots_area_full(luks))
		return log_err(
			luks->log, -ENOSPC,
			"the keyslots' area of %s is full; remove a keyslot, or make the volume "
			"with a larger area (cryptsetup luksFormat --luks2-keyslots-size=16m)",
			luks->name);
	if (r < 0)
		return log_err(luks->log, -EIO, "the keyslot could not be added to %s: %s",
			       luks->name, luks_cause(luks, r));
	return r;
}

/* Whether a token is the one that was to be written. */
static bool is_ours(const struct luks *luks, const json_t *jwe, unsigned token)
{
	CLEANUP_JSON json_t *found = NULL;
	const char *type, *json;

	return luks_token(luks, token, &type, &json) == 0 && js_load(ref_str(json), &found) == 0 &&
	       json_equal(jwe, json_object_get(found, "jwe"));
}

/* Keyslots first: the binding must not lose its name before its key. */
static int remove_binding(struct luks *luks, unsigned token)
{
	uint32_t keyslots = luks_token_keyslots(luks, token);
	int r = 0;

	for (unsigned i = 0; r == 0 && i < LUKS_KEYSLOTS; i++)
		if (keyslots & UINT32_C(1) << i)
			r = luks_remove_keyslot(luks, i);
	return r < 0 ? r : luks_remove_token(luks, token);
}

int luks_bind_undo(struct luks *luks, const struct binding *binding, const struct bound *bound)
{
	CLEANUP_JSON json_t *written = NULL;
	int r;

	/* What reached the disk may differ from what libcryptsetup believes after a failure. */
	r = crypt_load(luks->cd, CRYPT_LUKS2, NULL);
	if (r == 0)
		r = js_load(ref_str(binding->json), &written);
	/* Out of memory, libcryptsetup may have left the keyslot out of its token. */
	if (r == 0 && bound && luks_keyslot_opens(luks, bound->keyslot, binding->secret) == 0)
		r = luks_remove_keyslot(luks, bound->keyslot);
	for (unsigned i = 0; r == 0 && i < LUKS_TOKENS; i++)
		if (is_ours(luks, json_object_get(written, "jwe"), i))
			r = remove_binding(luks, i);
	if (r < 0)
		return log_err(luks->log, -EIO,
			       "the failed binding may be left in the header of %s; see --list and "
			       "remove it with --wipe-slot",
			       luks->name);
	return 0;
}

int luks_bind_make(struct luks *luks, const struct binding *binding, struct bound *ret)
{
	int token, keyslot;

	token = write_token(luks, binding);
	keyslot = token < 0 ? token : luks_bind_keyslot(luks, binding, (unsigned)token);
	if (keyslot < 0)
		return luks_bind_undo(luks, binding, NULL) < 0 ? -EIO : keyslot;

	*ret = (struct bound){.keyslot = (unsigned)keyslot, .token = (unsigned)token};
	return 0;
}

int luks_bind_rehearse(struct luks *luks, const struct binding *binding)
{
	CLEANUP(luks_freep) struct luks *copy = NULL;
	struct bound bound;
	int r;

	r = luks_copy_header(luks, &copy);
	if (r < 0)
		return r;
	return luks_bind_make(copy, binding, &bound);
}
