/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One key of a Tang server. */
#include "tang/server/key.h"

#include "crypto/b64.h"
#include "crypto/ecmr-key.h"
#include "crypto/hash.h"
#include "crypto/scan.h"
#include "tang/server/use.h"

#include <errno.h>

static const struct {
	const char *digest;
	size_t size;
} thumbprints[KEY_N_THUMBPRINTS] = {
	[KEY_S1] = {"SHA1", 20},     [KEY_S224] = {"SHA224", 28}, [KEY_S256] = {"SHA256", 32},
	[KEY_S384] = {"SHA384", 48}, [KEY_S512] = {"SHA512", 64},
};

/* RFC 7517 section 4 and RFC 7518 section 6.2.1: what is public; all else may be a secret. */
static const char *const public_members[] = {
	"alg", "crv", "key_ops", "kid", "kty", "use", "x", "x5c", "x5t", "x5u", "x5t#S256", "y",
};

static bool is_public(struct ref name)
{
	for (size_t i = 0; i < ARRAY_SIZE(public_members); i++)
		if (ref_is(name, public_members[i]))
			return true;
	return false;
}

static int append_ref(struct buf *text, struct ref bytes)
{
	return buf_append(text, bytes.p, bytes.n);
}

static int take_public(void *arg, struct ref name, struct ref value)
{
	struct buf *text = arg;
	int r;

	if (!is_public(name))
		return 0;

	r = buf_append_str(text, text->n > 1 ? ",\"" : "\"");
	if (r == 0)
		r = append_ref(text, name);
	if (r == 0)
		r = buf_append_str(text, "\":");
	return r < 0 ? r : append_ref(text, value);
}

/* The public members, in the file's order. */
static int read_public(struct ref text, json_t **ret)
{
	CLEANUP(buf_done) struct buf public = {0};
	int r;

	/* Each member takes as much as in the file, but for a comma or brace. */
	r = buf_init(&public, text.n + ARRAY_SIZE(public_members) + 2);
	if (r == 0)
		r = buf_append_str(&public, "{");
	if (r == 0)
		r = scan_object(text, take_public, &public);
	if (r == 0)
		r = buf_append_str(&public, "}");
	return r < 0 ? r : js_load(buf_ref(&public), ret);
}

/* Where it names an algorithm, that decides which of the uses that it allows are meant. */
static int decide_use(struct key *key, const char **ret_why)
{
	const char *alg = js_str(key->advert, "alg");
	bool signs = use_allows(key->advert, "sign", USE_NONE_ALLOWS) &&
		     use_allows(key->advert, "verify", USE_NONE_ALLOWS);
	bool derives = use_allows(key->advert, "deriveKey", USE_NONE_REFUSES);

	if (!signs && !derives) {
		*ret_why = "its key_ops allow neither to sign and verify nor to derive keys";
		return -EOPNOTSUPP;
	}

	key->signs = signs && (!alg || strcmp(alg, key->jwk.curve->jws_alg) == 0);
	derives = derives && (!alg || strcmp(alg, "ECMR") == 0);
	if (!key->signs && !derives) {
		*ret_why = "its algorithm does not go with its curve and key_ops";
		return -EOPNOTSUPP;
	}
	return derives ? ecmr_key_new(&key->jwk, &key->exchange) : 0;
}

static int make_thumbprints(struct key *key)
{
	CLEANUP_JSON json_t *json = jwk_to_json(&key->jwk);
	CLEANUP(free_text) char *canonical = NULL;
	int r;

	if (!json)
		return -ENOMEM;
	/* RFC 7638 section 3: the required members, sorted, without white space. */
	r = js_dump(json, &canonical);

	for (size_t i = 0; i < KEY_N_THUMBPRINTS && r == 0; i++) {
		struct ref part = ref_str(canonical);
		uint8_t digest[HASH_SIZE_MAX];
		struct buf text = {(uint8_t *)key->thumbprints[i], 0, KEY_THUMBPRINT_MAX};

		r = hash_digest(thumbprints[i].digest, &part, 1, digest);
		if (r == 0)
			r = b64_encode((struct ref){digest, thumbprints[i].size}, &text);
	}
	return r;
}

static const char *why_unread(int err)
{
	switch (err) {
	case -E2BIG:
		return "it is too large for a key";
	case -EOPNOTSUPP:
		return "it is no elliptic-curve key of P-256, P-384 or P-521";
	case -ENOMEM:
		return "out of memory";
	default:
		return "it is not a whole JSON Web Key with a private part of its public one";
	}
}

int key_parse(struct ref text, struct key **ret, const char **ret_why)
{
	CLEANUP(key_unrefp) struct key *key = calloc(1, sizeof(*key));
	const char *why = NULL;
	uint8_t digest[HASH_SIZE_MAX];
	int r;

	*ret_why = why_unread(-ENOMEM);
	if (!key)
		return -ENOMEM;
	key->refs = 1;

	r = jwk_read(text, &key->jwk);
	if (r == 0 && !key->jwk.curve)
		r = -EOPNOTSUPP;
	if (r == 0 && !key->jwk.has_private)
		r = -EBADMSG;
	if (r == 0)
		r = read_public(text, &key->advert);
	if (r == 0)
		r = decide_use(key, &why);
	if (r == 0)
		r = make_thumbprints(key);
	if (r == 0)
		r = hash_digest("SHA256", &text, 1, digest);
	if (r < 0) {
		*ret_why = why ? why : why_unread(r);
		return r;
	}

	memcpy(key->digest, digest, sizeof(key->digest));
	use_make_public(key->advert);
	*ret = TAKE_PTR(key);
	return 0;
}

struct key *key_ref(struct key *key)
{
	(void)__atomic_fetch_add(&key->refs, 1, __ATOMIC_RELAXED);
	return key;
}

void key_unref(struct key *key)
{
	if (__atomic_sub_fetch(&key->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	if (key->exchange)
		ecmr_key_free(key->exchange);
	json_decref(key->advert);
	jwk_done(&key->jwk);
	free(key);
}

const char *key_name(const struct key *key)
{
	return key->thumbprints[KEY_S256];
}

/* The time first: whoever sees the number sees it too. */
void key_count(struct key *key)
{
	__atomic_store_n(&key->count.last, (uint64_t)time(NULL), __ATOMIC_RELAXED);
	(void)__atomic_fetch_add(&key->count.recoveries, 1, __ATOMIC_RELEASE);
}

struct key_count key_counted(const struct key *key)
{
	uint64_t recoveries = __atomic_load_n(&key->count.recoveries, __ATOMIC_ACQUIRE);

	return (struct key_count){recoveries, __atomic_load_n(&key->count.last, __ATOMIC_RELAXED)};
}
