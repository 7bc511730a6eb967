/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes cotter.unfinished. */
#include "enroll/luks-unfinished.h"

#include "crypto/hash.h"
#include "crypto/js.h"

#include <errno.h>

/* A shorter secret may be a person's and guessable, which a plain digest of it would make easy. */
enum { SECRET_MIN = 32 };

static const char extras_name[] = "cotter", name[] = "unfinished";

void luks_unfinished_done(struct luks_unfinished *unfinished)
{
	jwe_done(&unfinished->secret);
	*unfinished = (struct luks_unfinished){0};
}

/* -1 where it is no number below `limit`. */
static int small(const json_t *number, int limit)
{
	json_int_t value = json_integer_value(number);

	return json_is_integer(number) && value >= 0 && value < limit ? (int)value : -1;
}

int luks_unfinished_read(const char *token, struct luks_unfinished *ret)
{
	CLEANUP_JSON json_t *json = NULL;
	struct luks_unfinished unfinished = {.token = LUKS_ANY};
	const json_t *note, *id, *secret;
	int keyslot, r;

	r = js_load(ref_str(token), &json);
	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;
	note = json_object_get(json_object_get(json, extras_name), name);
	keyslot = small(json_object_get(note, "keyslot"), LUKS_KEYSLOTS);
	id = json_object_get(note, "token");
	if (id)
		unfinished.token = small(id, LUKS_TOKENS);
	if (keyslot < 0 || (id && unfinished.token < 0))
		return -ENOENT;

	unfinished.keyslot = (unsigned)keyslot;
	secret = json_object_get(note, "secret");
	if (secret)
		r = jwe_from_json(secret, &unfinished.secret);
	if (r == -ENOMEM)
		return r;
	unfinished.sealed = secret && r == 0;
	*ret = unfinished;
	return 0;
}

/* The secrets that bear notes are random, so a digest is all the stretching that is needed. */
static int derive(struct ref by, uint8_t ret[HASH_SIZE_MAX])
{
	const struct ref parts[] = {ref_str("cotter.unfinished:"), by};

	return hash_digest("SHA256", parts, ARRAY_SIZE(parts), ret);
}

int luks_unfinished_open(const struct luks_unfinished *unfinished, struct ref by, struct buf *ret,
			 struct luks_print *ret_print)
{
	CLEANUP(buf_done) struct buf opened = {0};
	struct luks_print print;
	uint8_t key[HASH_SIZE_MAX];
	int r;

	if (!unfinished->sealed)
		return -ENOENT;
	r = derive(by, key);
	if (r == 0)
		r = jwe_open(&unfinished->secret, (struct ref){key, JWE_CEK_SIZE}, &opened);
	explicit_bzero(key, sizeof(key));
	if (r == 0 && opened.n < sizeof(print))
		r = -EBADMSG;
	if (r == 0)
		r = buf_copy(ret, (struct ref){opened.p + sizeof(print), opened.n - sizeof(print)});
	if (r == 0)
		memcpy(ret_print, opened.p, sizeof(print));
	return r;
}

static int seal(const struct luks_unfinished_note *note, json_t **ret)
{
	CLEANUP_JSON json_t *hdr = json_pack("{s:s, s:s}", "alg", "dir", "enc", "A256GCM");
	CLEANUP(buf_done) struct buf plain = {0};
	CLEANUP(jwe_done) struct jwe jwe = {0};
	uint8_t key[HASH_SIZE_MAX];
	char *text = NULL;
	int r;

	r = hdr ? buf_init(&plain, sizeof(note->print) + note->secret.n) : -ENOMEM;
	if (r == 0)
		r = buf_append(&plain, &note->print, sizeof(note->print));
	if (r == 0)
		r = buf_append(&plain, note->secret.p, note->secret.n);
	if (r == 0)
		r = derive(note->by, key);
	if (r < 0)
		return r;
	r = jwe_seal(hdr, (struct ref){key, JWE_CEK_SIZE}, buf_ref(&plain), &jwe);
	explicit_bzero(key, sizeof(key));
	if (r == 0)
		r = jwe_to_compact(&jwe, &text);
	if (r < 0)
		return r;

	*ret = json_string(text);
	free(text);
	return *ret ? 0 : -ENOMEM;
}

/* The print alone tells as well whether it is the same keyslot still. */
static bool worth_sealing(const struct luks_unfinished_note *note)
{
	static const struct luks_print unknown;

	return note->by.n >= SECRET_MIN &&
	       (note->secret.p || memcmp(&note->print, &unknown, sizeof(unknown)) != 0);
}

static int note_to_json(const struct luks_unfinished_note *note, json_t **ret)
{
	CLEANUP_JSON json_t *json = json_pack("{s:i}", "keyslot", (int)note->keyslot);
	json_t *secret = NULL;
	int r = json ? 0 : -ENOMEM;

	if (r == 0 && note->token != LUKS_ANY &&
	    json_object_set_new(json, "token", json_integer(note->token)) != 0)
		r = -ENOMEM;
	if (r == 0 && worth_sealing(note)) {
		r = seal(note, &secret);
		if (r == 0 && json_object_set_new(json, "secret", secret) != 0)
			r = -ENOMEM;
	}
	if (r < 0)
		return r;

	*ret = TAKE_PTR(json);
	return 0;
}

int luks_unfinished_write(const char *token, const struct luks_unfinished_note *note, int keyslot,
			  char **ret)
{
	CLEANUP_JSON json_t *json = NULL;
	json_t *extras, *value = NULL;
	int r;

	r = js_load(ref_str(token), &json);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;

	extras = json_object_get(json, extras_name);
	if (!extras && note) {
		extras = json_object();
		if (json_object_set_new(json, extras_name, extras) != 0)
			return -ENOMEM;
	}
	(void)json_object_del(extras, name);
	if (note) {
		r = note_to_json(note, &value);
		if (r == 0 && json_object_set_new(extras, name, value) != 0)
			r = -ENOMEM;
	}
	if (r == 0 && keyslot != LUKS_ANY &&
	    json_object_set_new(json, "keyslots", json_pack("[o]", json_sprintf("%d", keyslot))) !=
		    0)
		r = -ENOMEM;
	return r < 0 ? r : js_dump(json, ret);
}
