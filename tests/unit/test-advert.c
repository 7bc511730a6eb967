/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Advertisements: what is in them, who signs them. */
#include "tang/server/advert.h"

#include "crypto/jws.h"
#include "tests/unit/vectors/tang-keys.h"

#include <pthread.h>

static json_t *load(struct ref text)
{
	json_t *jws = NULL;

	assert_int_equal(js_load(text, &jws), 0);
	return jws;
}

static json_t *payload_of(const json_t *jws)
{
	CLEANUP(buf_done) struct buf payload = {0};
	json_t *json = NULL;

	assert_int_equal(jws_payload(jws, &payload), 0);
	assert_int_equal(js_load(buf_ref(&payload), &json), 0);
	return json;
}

static json_t *advertisement(struct keys *keys, const char *thumbprint)
{
	struct ref text, again;

	assert_int_equal(keys_advertisement(keys, thumbprint, &text), 0);
	assert_int_equal(keys_advertisement(keys, thumbprint, &again), 0);
	assert_ptr_equal(text.p, again.p); /* it was signed once */
	return load(text);
}

static void test_default(void **state)
{
	static const char *const names[] = {"b.jwk", "a.jwk", ".c.jwk"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(curve_names); i++) {
		struct key *list[] = {new_key(curve_names[i], KEYRING_SIGNING),
				      new_key(curve_names[i], KEYRING_EXCHANGE),
				      new_key(curve_names[i], KEYRING_EXCHANGE)};
		CLEANUP(keys_unrefp) struct keys *keys = keys_of(names, list, 3);
		CLEANUP_JSON json_t *jws = advertisement(keys, NULL), *payload = payload_of(jws);
		const json_t *array = json_object_get(payload, "keys");

		assert_non_null(json_object_get(jws, "signature"));
		assert_int_equal(jws_verify(jws, &list[0]->jwk), 0);
		assert_int_equal(json_object_size(payload), 1);
		assert_int_equal(json_array_size(array), 2);
		assert_true(json_equal(json_array_get(array, 0), list[1]->advert));
		assert_true(json_equal(json_array_get(array, 1), list[0]->advert));
	}
}

/* Every key that signs signs; one that was asked for does so in addition. */
static void test_thumbprints(void **state)
{
	static const char *const names[] = {"a.jwk", "b.jwk", "x.jwk", ".h.jwk", ".x.jwk"};
	struct key *list[] = {new_key("P-256", KEYRING_SIGNING), new_key("P-521", KEYRING_SIGNING),
			      new_key("P-256", KEYRING_EXCHANGE), new_key("P-384", KEYRING_SIGNING),
			      new_key("P-256", KEYRING_EXCHANGE)};
	CLEANUP(keys_unrefp) struct keys *keys = keys_of(names, list, 5);
	CLEANUP_JSON json_t *all = advertisement(keys, NULL);
	struct ref text;

	(void)state;
	assert_int_equal(json_array_size(json_object_get(all, "signatures")), 2);
	assert_int_equal(jws_verify(all, &list[0]->jwk), 0);
	assert_int_equal(jws_verify(all, &list[1]->jwk), 0);
	assert_int_equal(jws_verify(all, &list[3]->jwk), -EKEYREJECTED);

	for (int k = 0; k < KEY_N_THUMBPRINTS; k++) {
		CLEANUP_JSON json_t *old = advertisement(keys, list[3]->thumbprints[k]);
		CLEANUP_JSON json_t *own = advertisement(keys, list[0]->thumbprints[k]);

		assert_int_equal(json_array_size(json_object_get(old, "signatures")), 3);
		assert_int_equal(jws_verify(old, &list[0]->jwk), 0);
		assert_int_equal(jws_verify(old, &list[3]->jwk), 0);
		assert_string_equal(js_str(old, "payload"), js_str(all, "payload"));
		assert_int_equal(jws_verify(own, &list[0]->jwk), 0);
		assert_int_equal(json_array_size(json_object_get(own, "signatures")), 3);

		assert_int_equal(keys_advertisement(keys, list[2]->thumbprints[k], &text), -ENOENT);
		assert_int_equal(keys_advertisement(keys, list[4]->thumbprints[k], &text), -ENOENT);
	}
	assert_int_equal(keys_advertisement(keys, "", &text), -ENOENT);
	assert_int_equal(keys_advertisement(keys, "x", &text), -ENOENT);
}

static void test_none(void **state)
{
	static const char *const names[] = {"x.jwk", ".s.jwk"};
	struct key *list[] = {new_key("P-256", KEYRING_EXCHANGE),
			      new_key("P-256", KEYRING_SIGNING)};
	CLEANUP(keys_unrefp) struct keys *keys = keys_of(names, list, 2);
	CLEANUP(keys_unrefp) struct keys *none = keys_of(NULL, NULL, 0);
	struct ref text;

	(void)state;
	assert_int_equal(keys_advertisement(keys, NULL, &text), -ENOKEY);
	assert_int_equal(keys_advertisement(keys, key_name(list[1]), &text), -ENOKEY);
	assert_int_equal(keys_advertisement(none, NULL, &text), -ENOKEY);
	assert_int_equal(keys_advertisement(none, "x", &text), -ENOKEY);
}

struct asked {
	struct keys *keys;
	const char *thumbprint;
	struct ref text;
};

static void *ask(void *arg)
{
	struct asked *asked = arg;

	return keys_advertisement(asked->keys, asked->thumbprint, &asked->text) < 0 ? arg : NULL;
}

/* Threads that ask for the same key at once get the same text. */
static void test_threads(void **state)
{
	static const char *const names[] = {"s.jwk", "x.jwk", ".o.jwk"};
	struct key *list[] = {new_key("P-521", KEYRING_SIGNING), new_key("P-521", KEYRING_EXCHANGE),
			      new_key("P-521", KEYRING_SIGNING)};
	CLEANUP(keys_unrefp) struct keys *keys = keys_of(names, list, 3);
	struct asked asked[8];
	pthread_t threads[ARRAY_SIZE(asked)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		asked[i] = (struct asked){.keys = keys, .thumbprint = key_name(list[2])};
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &asked[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
		assert_ptr_equal(asked[i].text.p, asked[0].text.p);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_thumbprints),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
