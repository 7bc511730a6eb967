/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot of a server's keys: how they are found, and what they answer. */
#include "tang/server/keys.h"

#include "crypto/ecmr.h"
#include "tang/server/check.h"
#include "tests/unit/vectors/tang-keys.h"

/* A pair and a rotated pair of one curve. */
enum { SIGNING, EXCHANGE, OLD_SIGNING, OLD_EXCHANGE, N_KEYS };

static const char *const names[N_KEYS] = {"s.jwk", "x.jwk", ".os.jwk", ".ox.jwk"};

static struct keys *two_pairs(const char *curve, struct key *list[N_KEYS])
{
	for (int i = 0; i < N_KEYS; i++)
		list[i] = new_key(curve, i % 2 ? KEYRING_EXCHANGE : KEYRING_SIGNING);
	return keys_of(names, list, N_KEYS);
}

static void test_find(void **state)
{
	struct key *list[N_KEYS];
	CLEANUP(keys_unrefp) struct keys *keys = two_pairs("P-256", list);
	const struct keys_file *files;
	size_t n = 0;

	(void)state;
	files = keys_files(keys, &n);
	assert_int_equal(n, N_KEYS);
	assert_string_equal(files[0].name, "s.jwk");
	assert_string_equal(files[3].name, ".ox.jwk");

	for (int i = 0; i < N_KEYS; i++)
		for (int k = 0; k < KEY_N_THUMBPRINTS; k++)
			assert_ptr_equal(keys_find(keys, list[i]->thumbprints[k]), list[i]);
	assert_null(keys_find(keys, ""));
	assert_null(keys_find(keys, "x"));
	assert_ptr_equal(keys_exchange_key(keys), list[EXCHANGE]);
	assert_true(keys_usable(keys));
}

/* The same key in several files. */
static void test_twins(void **state)
{
	static const char *const twins[] = {".a.jwk", "b.jwk",  "a.jwk",
					    ".c.jwk", ".b.jwk", "s.jwk"};
	struct key *key = new_key("P-256", KEYRING_EXCHANGE);
	struct key *list[] = {key,          key_ref(key), key_ref(key),
			      key_ref(key), key_ref(key), new_key("P-256", KEYRING_SIGNING)};
	CLEANUP(keys_unrefp) struct keys *keys = keys_of(twins, list, ARRAY_SIZE(list));
	const struct keys_file *files;
	size_t n = 0;

	(void)state;
	files = keys_files(keys, &n);
	assert_int_equal(n, 2);
	assert_string_equal(files[0].name, "a.jwk");
	assert_false(files[0].hidden);
	assert_int_equal(key->refs, 1);
	assert_true(keys_usable(keys));
}

static void test_usable(void **state)
{
	static const struct {
		const char *names[2];
		enum keyring_use uses[2];
		bool want;
	} cases[] = {
		{{"a.jwk", "b.jwk"}, {KEYRING_SIGNING, KEYRING_EXCHANGE}, true},
		{{"a.jwk", "b.jwk"}, {KEYRING_SIGNING, KEYRING_SIGNING}, false},
		{{"a.jwk", "b.jwk"}, {KEYRING_EXCHANGE, KEYRING_EXCHANGE}, false},
		{{".a.jwk", "b.jwk"}, {KEYRING_SIGNING, KEYRING_EXCHANGE}, false},
		{{"a.jwk", ".b.jwk"}, {KEYRING_SIGNING, KEYRING_EXCHANGE}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct key *list[] = {new_key("P-256", cases[i].uses[0]),
				      new_key("P-256", cases[i].uses[1])};
		CLEANUP(keys_unrefp) struct keys *keys = keys_of(cases[i].names, list, 2);

		if (keys_usable(keys) != cases[i].want)
			fail_msg("case %zu", i);
		assert_int_equal(check_keys(keys), cases[i].want ? 0 : -ENOKEY);
	}
}

static void test_recover(void **state)
{
	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(curve_names); c++) {
		struct key *list[N_KEYS], *used = NULL;
		CLEANUP(keys_unrefp) struct keys *keys = two_pairs(curve_names[c], list);
		struct jwk client = {0}, want = {0}, got = {0};
		CLEANUP(buf_done) struct buf request = {0};

		assert_int_equal(jwk_generate(curve_by_name(curve_names[c]), &client), 0);
		request = request_of(&client);
		for (int i = EXCHANGE; i < N_KEYS; i += 2)
			for (int k = 0; k < KEY_N_THUMBPRINTS; k++) {
				CLEANUP(buf_done) struct buf reply = {0};

				assert_int_equal(keys_recover(keys, list[i]->thumbprints[k],
							      buf_ref(&request), &reply, &used),
						 0);
				assert_ptr_equal(used, list[i]);
				assert_int_equal(request_parse(buf_ref(&reply), &got), 0);
				assert_int_equal(ecmr_mul(&list[i]->jwk, &client, &want), 0);
				assert_memory_equal(&got, &want, sizeof(got));
			}
		assert_int_equal(check_keys(keys), 0);
		jwk_done(&client);
	}
}

static void expect_error(const struct keys *keys, const char *thumbprint, const char *request,
			 int want)
{
	struct buf reply;
	struct key *used = NULL;

	memset(&reply, UNTOUCHED, sizeof(reply));
	expect(request, keys_recover(keys, thumbprint, ref_str(request), &reply, &used), want);
	assert_untouched(request, &reply, sizeof(reply));
	assert_null(used);
}

static void test_recover_errors(void **state)
{
	static const char good[] = EC_PUBLIC("P-256", A3_X, A3_Y);
	struct key *list[N_KEYS];
	CLEANUP(keys_unrefp) struct keys *keys = two_pairs("P-256", list);
	CLEANUP(keys_unrefp) struct keys *none = keys_of(NULL, NULL, 0);
	const char *x = key_name(list[EXCHANGE]);

	(void)state;
	expect_error(keys, "x", good, -ENOENT);
	expect_error(keys, key_name(list[SIGNING]), good, -EKEYREJECTED);
	expect_error(keys, key_name(list[OLD_SIGNING]), good, -EKEYREJECTED);
	expect_error(none, x, good, -ENOKEY);
	expect_error(keys, x, "{}", -EBADMSG);
	expect_error(none, x, "{}", -EBADMSG);
	expect_error(keys, x, "{\"use\":\"sig\"}", -EKEYREJECTED);
	expect_error(keys, x, EC_PUBLIC("P-256", A3_X, C_BOB_Y), -EBADMSG);
	expect_error(keys, x, EC_PUBLIC("P-384", P384_X, P384_Y), -EBADMSG);
	expect_error(keys, x, EC_PUBLIC("P-521", A4_X, A4_Y), -EBADMSG);
}

/* Two of a kind wait for each other's answer in no way: the snapshot that one holds outlives the store's. */
static void test_refs(void **state)
{
	struct key *list[N_KEYS];
	struct keys *keys = two_pairs("P-256", list);
	struct keys *mine = keys_ref(keys);
	struct key *key = key_ref(list[EXCHANGE]);

	(void)state;
	keys_unref(keys);
	assert_ptr_equal(keys_find(mine, key_name(key)), key);
	keys_unref(mine);
	assert_int_equal(key->refs, 1);
	key_unref(key);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),           cmocka_unit_test(test_twins),
		cmocka_unit_test(test_usable),         cmocka_unit_test(test_recover),
		cmocka_unit_test(test_recover_errors), cmocka_unit_test(test_refs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
