/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a Tang server's key folder, and its record of what they recovered. */
#include "tang/server/key.h"

#include "crypto/jws.h"
#include "tang/server/keys.h"
#include "tang/server/usage.h"
#include "tests/fuzz/file.h"

/* It signs and recovers as what it says it is. */
static void serve(struct key *key)
{
	struct keys_file *files = calloc(1, sizeof(*files));
	CLEANUP(keys_unrefp) struct keys *keys = NULL;
	CLEANUP_JSON json_t *jws = NULL;
	struct ref text = {0};
	int r;

	CHECK(files);
	files[0] = (struct keys_file){.name = strdup("a.jwk"), .key = key_ref(key)};
	CHECK(keys_new(files, 1, &keys) == 0);
	for (size_t i = 0; i < KEY_N_THUMBPRINTS; i++)
		CHECK(keys_find(keys, key->thumbprints[i]) == key);
	CHECK((keys_exchange_key(keys) != NULL) == (key->exchange != NULL));
	r = keys_advertisement(keys, NULL, &text);
	CHECK_RESULT(r, -ENOKEY);
	CHECK((r == 0) == key->signs);
	if (r == 0)
		CHECK(js_load(text, &jws) == 0 && jws_verify(jws, &key->jwk) == 0);
}

static void read_key(struct ref text)
{
	const char *why = NULL;
	struct key *key = NULL;
	int r = key_parse(text, &key, &why);

	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG);
	CHECK((r == 0) == (key != NULL) && (r == 0 || why));
	if (r < 0)
		return;
	CHECK(key->signs || key->exchange);
	CHECK(!json_object_get(key->advert, "d"));
	serve(key);
	key_unref(key);
}

static void read_usage(const char *path)
{
	struct usage usage = {0};
	int r = usage_load(path, &usage);

	CHECK_RESULT(r, -EBADMSG, -E2BIG);
	CHECK((r == 0) == (usage.keys != NULL) && usage.n <= USAGE_KEYS_MAX);
	for (size_t i = 0; i < usage.n; i++)
		CHECK(usage_find(&usage, usage.keys[i].thumbprint));
	usage_done(&usage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	read_key((struct ref){data, n});
	read_usage(fuzz_file((struct ref){data, n})->path);
	return 0;
}
