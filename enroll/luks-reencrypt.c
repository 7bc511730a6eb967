/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Re-encrypts where the data are. */
#include "enroll/luks-reencrypt.h"

#include "crypto/js.h"
#include "enroll/luks2-area.h"
#include "enroll/reencrypt-finished.h"

#include <errno.h>
#include <unistd.h>

#include <libcryptsetup.h>

enum {
	CHUNK_MAX = 64 * 1024 * 1024 / 512
}; /* sectors: about as long as a person waits for Ctrl-C */

/* What libcryptsetup calls clean may be at the end, which it does not see. */
static enum luks_reencryption tell_clean(const struct luks *luks)
{
	CLEANUP_JSON json_t *header = NULL;
	const char *text = NULL;

	if (crypt_dump_json(luks->cd, &text, 0) == 0 && text)
		header = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!header)
		return LUKS_REENCRYPTION_OTHER;
	return finished_is(header) ? LUKS_REENCRYPTION_WRITTEN : LUKS_REENCRYPTION_CLEAN;
}

enum luks_reencryption luks_reencryption(const struct luks *luks)
{
	struct crypt_params_reencrypt params = {0};
	crypt_reencrypt_info info = crypt_reencrypt_status(luks->cd, &params);

	if (info == CRYPT_REENCRYPT_NONE)
		return LUKS_REENCRYPTION_NONE;
	if (info == CRYPT_REENCRYPT_INVALID || params.mode != CRYPT_REENCRYPT_REENCRYPT ||
	    params.flags & CRYPT_REENCRYPT_REPAIR_NEEDED)
		return LUKS_REENCRYPTION_OTHER;
	return info == CRYPT_REENCRYPT_CLEAN ? tell_clean(luks) : LUKS_REENCRYPTION_CRASH;
}

int luks_reencrypt_possible(const struct luks *luks)
{
	struct crypt_params_integrity integrity = {0};

	if (crypt_get_integrity_info(luks->cd, &integrity) == 0 && integrity.integrity)
		return log_err(luks->log, -EOPNOTSUPP,
			       "%s has authenticated encryption (%s), which libcryptsetup cannot "
			       "re-encrypt",
			       luks->name, integrity.integrity);
	return 0;
}

int luks_reencrypt_new_key(const struct luks *luks, struct buf *ret)
{
	int size = crypt_get_volume_key_size(luks->cd);

	return size > 0 ? buf_random(ret, (size_t)size) : -EIO;
}

static int read_json_left(const struct luks *luks, uint64_t size, size_t *ret)
{
	CLEANUP(buf_done) struct buf area = {0};
	size_t room = (size_t)size - AREA_BINARY;
	int r;

	r = area_read(luks->fd, 0, (size_t)size, &area);
	if (r == 0)
		*ret = room - strnlen((const char *)area.p + AREA_BINARY, room);
	return r;
}

int luks_reencrypt_room(const struct luks *luks, struct luks_room *ret)
{
	struct luks_room room = {0};
	uint64_t metadata, offset, length;

	if (crypt_get_metadata_size(luks->cd, &metadata, &room.area) < 0)
		return -EIO;
	for (int i = 0; i < LUKS_KEYSLOTS; i++) {
		if (crypt_keyslot_area(luks->cd, i, &offset, &length) < 0)
			continue;
		room.area -= length < room.area ? length : room.area;
		room.keyslot = length > room.keyslot ? length : room.keyslot;
	}
	*ret = room;
	return read_json_left(luks, metadata, &ret->json);
}

int luks_reload(struct luks *luks)
{
	return crypt_load(luks->cd, CRYPT_LUKS2, NULL) < 0 ? -EIO : 0;
}

int luks_add_token(struct luks *luks, const char *json)
{
	int r;

	luks->said[0] = '\0';
	r = luks_set_token(luks, LUKS_ANY, json);
	if (r == -ENOSPC || r == -EINVAL)
		return log_err(luks->log, -ENOSPC,
			       "the header of %s has no room for one more token; remove one first",
			       luks->name);
	if (r < 0)
		return log_err(luks->log, -EIO, "a token could not be written to %s: %s",
			       luks->name, luks_cause(luks, r));
	return 0;
}

/* The cost and the cipher of the keyslot that it stands in for. */
static int set_like(struct luks *luks, unsigned old)
{
	struct crypt_pbkdf_type pbkdf = {0};
	const char *cipher;
	size_t key_size = 0;
	int r;

	r = crypt_keyslot_get_pbkdf(luks->cd, (int)old, &pbkdf);
	if (r < 0)
		return r;
	pbkdf.flags |= CRYPT_PBKDF_NO_BENCHMARK;
	r = crypt_set_pbkdf_type(luks->cd, &pbkdf);
	cipher = crypt_keyslot_get_encryption(luks->cd, (int)old, &key_size);
	if (r == 0 && cipher)
		r = crypt_keyslot_set_encryption(luks->cd, cipher, key_size);
	return r;
}

static int check(struct luks *luks, const struct luks_twin *twin)
{
	CLEANUP(buf_done) struct buf key = {0};
	int r;

	r = buf_init(&key, twin->key.n);
	if (r < 0)
		return r;
	key.n = key.cap;
	r = crypt_volume_key_get(luks->cd, (int)twin->keyslot, (char *)key.p, &key.n,
				 (const char *)twin->secret.p, twin->secret.n);
	if (r < 0)
		return r;
	return ref_equal(buf_ref(&key), twin->key) ? 0 : -EIO;
}

static int assign_tokens(struct luks *luks, const struct luks_twin *twin)
{
	const char *type, *json;
	int r = 0;

	for (unsigned i = 0; r >= 0 && i < LUKS_TOKENS; i++)
		if (luks_token(luks, i, &type, &json) == 0 &&
		    luks_token_keyslots(luks, i) & UINT32_C(1) << twin->old)
			r = crypt_token_assign_keyslot(luks->cd, (int)i, (int)twin->keyslot);
	return r < 0 ? r : 0;
}

int luks_reencrypt_add(struct luks *luks, const struct luks_twin *twin)
{
	crypt_keyslot_priority priority = crypt_keyslot_get_priority(luks->cd, (int)twin->old);
	int r;

	luks->said[0] = '\0';
	r = set_like(luks, twin->old);
	if (r == 0)
		r = crypt_keyslot_add_by_key(
			luks->cd, (int)twin->keyslot, (const char *)twin->key.p, twin->key.n,
			(const char *)twin->secret.p, twin->secret.n,
			CRYPT_VOLUME_KEY_NO_SEGMENT | CRYPT_VOLUME_KEY_DIGEST_REUSE);
	if (r >= 0)
		r = check(luks, twin);
	if (r == 0 && priority != CRYPT_SLOT_PRIORITY_NORMAL)
		r = crypt_keyslot_set_priority(luks->cd, (int)twin->keyslot, priority);
	if (r == 0)
		r = assign_tokens(luks, twin);
	if (r < 0)
		return log_err(luks->log, -EIO,
			       "the keyslot that takes the place of keyslot %u of %s could not be "
			       "added: %s",
			       twin->old, luks->name, luks_cause(luks, r));
	return 0;
}

int luks_reencrypt_begin(struct luks *luks, const struct luks_twin *twin)
{
	const struct crypt_params_luks2 luks2 = {
		.sector_size = (uint32_t)crypt_get_sector_size(luks->cd),
	};
	const struct crypt_params_reencrypt params = {
		.mode = CRYPT_REENCRYPT_REENCRYPT,
		.direction = CRYPT_REENCRYPT_FORWARD,
		.resilience = "journal",
		.luks2 = &luks2,
		.flags = CRYPT_REENCRYPT_INITIALIZE_ONLY,
	};
	int r;

	luks->said[0] = '\0';
	r = crypt_reencrypt_init_by_passphrase(luks->cd, NULL, (const char *)twin->secret.p,
					       twin->secret.n, (int)twin->old, (int)twin->keyslot,
					       crypt_get_cipher(luks->cd),
					       crypt_get_cipher_mode(luks->cd), &params);
	if (r < 0)
		return log_err(luks->log, -EIO, "the re-encryption of %s could not be begun: %s",
			       luks->name, luks_cause(luks, r));
	return 0;
}

struct watch {
	luks_reencrypt_progress progress;
	void *arg;
	bool stopped;
};

static int watch_progress(uint64_t size, uint64_t done, void *arg)
{
	struct watch *watch = arg;

	watch->stopped = watch->progress(watch->arg, size, done);
	if (done >= size)
		_exit(0);
	return watch->stopped ? 1 : 0;
}

int luks_reencrypt_run(struct luks *luks, struct ref secret, luks_reencrypt_progress progress,
		       void *arg)
{
	const struct crypt_params_reencrypt params = {
		.resilience = "journal",
		.max_hotzone_size = CHUNK_MAX,
		.flags = CRYPT_REENCRYPT_RESUME_ONLY,
	};
	struct watch watch = {.progress = progress, .arg = arg};
	int r;

	if (luks_reencryption(luks) != LUKS_REENCRYPTION_CLEAN)
		return log_err(luks->log, -EIO, "%s is not between two chunks", luks->name);

	luks->said[0] = '\0';
	r = crypt_reencrypt_init_by_passphrase(luks->cd, NULL, (const char *)secret.p, secret.n,
					       CRYPT_ANY_SLOT, CRYPT_ANY_SLOT, NULL, NULL, &params);
	if (r == -EPERM || r == -ENOENT)
		return log_err(luks->log, -EPERM,
			       "the credential does not open both the old and the new keyslots of "
			       "%s",
			       luks->name);
	if (r >= 0)
		r = crypt_reencrypt_run(luks->cd, watch_progress, &watch);
	if (r < 0)
		return log_err(luks->log, -EIO, "the re-encryption of %s failed: %s", luks->name,
			       luks_cause(luks, r));
	return -EINTR;
}
