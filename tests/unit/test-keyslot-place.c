/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokens that are to have another keyslot number. */
#include "enroll/clevis/keyslot-place.h"

#include "enroll/luks-note.h"
#include "tests/unit/opened.h"

#define SECRET "what the token holds, which is long enough"

enum { ID = 2, FROM = 3, TO = 1 };

static struct opened o;
static struct buf volume_key;

static int begin(void **state)
{
	(void)state;
	return luks_setup(false, NULL) < 0 ? -1 : luks_carry("clevis", NULL);
}

static int make_volume(void **state)
{
	(void)state;
	opened_begin(&o);
	assert_int_equal(luks_unlock_by_passphrase(o.luks, ref_str(PASSPHRASE), &volume_key), 0);
	add_keyslot(o.luks, FROM, SECRET);
	return 0;
}

static int drop_volume(void **state)
{
	(void)state;
	buf_done(&volume_key);
	opened_end(&o);
	return 0;
}

static void test_text(void **state)
{
	static const char token[] = "{\"type\":\"clevis\",\"keyslots\":[],\"jwe\":{}}",
			  more[] = "{\"cotter\":{\"unfinished\":{\"keyslot\":4}}}";
	static const char *const none[] = {token,
					   more,
					   "{",
					   "[]",
					   "{\"cotter\":{\"place\":32}}",
					   "{\"cotter\":{\"place\":-1}}",
					   "{\"cotter\":{\"place\":\"1\"}}"};
	CLEANUP(free_text) char *with = NULL;
	CLEANUP(free_text) char *without = NULL;
	CLEANUP(free_text) char *both = NULL;
	CLEANUP(free_text) char *one = NULL;
	CLEANUP(free_text) char *bad = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		expect(none[i], keyslot_place_read(none[i]), LUKS_ANY);
	assert_int_equal(keyslot_place_write(token, 31, &with), 0);
	assert_int_equal(keyslot_place_read(with), 31);
	assert_int_equal(keyslot_place_write(with, LUKS_ANY, &without), 0);
	assert_null(strstr(without, "cotter"));
	assert_int_equal(keyslot_place_write(more, 0, &both), 0);
	assert_int_equal(keyslot_place_read(both), 0);
	assert_int_equal(keyslot_place_write(both, LUKS_ANY, &one), 0);
	assert_non_null(strstr(one, "\"keyslot\":4"));
	assert_int_equal(keyslot_place_write("{", 1, &bad), -EBADMSG);
	assert_int_equal(keyslot_place_write("[]", 1, &bad), -EBADMSG);
	assert_int_equal(keyslot_place_write("{\"cotter\":[]}", 1, &bad), -EBADMSG);
	assert_null(bad);
}

static void add(const char *keyslots, int place)
{
	char *text = NULL;

	assert_true(
		asprintf(&text,
			 "{\"type\":\"clevis\",\"keyslots\":[%s],\"jwe\":{},\"cotter\":{\"place\":"
			 "%d}}",
			 keyslots, place) > 0);
	add_token(o.luks, ID, text);
	free(text);
}

static int take(void)
{
	return keyslot_place_take(o.luks, ID, ref_str(SECRET), buf_ref(&volume_key));
}

static void assert_at(unsigned keyslot)
{
	const char *type, *json;

	assert_int_equal(luks_token_keyslots(o.luks, ID), UINT32_C(1) << keyslot);
	assert_int_equal(luks_keyslot_opens(o.luks, keyslot, ref_str(SECRET)), 0);
	assert_int_equal(luks_token(o.luks, ID, &type, &json), 0);
	assert_null(strstr(json, "cotter"));
}

static void test_moved(void **state)
{
	(void)state;
	add("\"3\"", TO);
	assert_int_equal(take(), 0);
	assert_at(TO);
	assert_int_equal(luks_keyslot(o.luks, FROM), LUKS_KEYSLOT_FREE);
	assert_int_equal(take(), 0);
	assert_at(TO);
}

/* An end between the two keyslots left both. */
static void test_both(void **state)
{
	(void)state;
	add_keyslot(o.luks, TO, SECRET);
	add("\"3\",\"1\"", TO);
	assert_int_equal(take(), 0);
	assert_at(TO);
	assert_int_equal(luks_keyslot(o.luks, FROM), LUKS_KEYSLOT_FREE);
}

/* Somebody else is there by now. */
static void test_taken(void **state)
{
	(void)state;
	add_keyslot(o.luks, TO, "somebody else's");
	add("\"3\"", TO);
	assert_int_equal(take(), 0);
	assert_at(FROM);
	assert_int_equal(luks_keyslot_opens(o.luks, TO, ref_str("somebody else's")), 0);
}

/* A keyslot that the token claims, but does not open, is no reason to give up the one that it opens. */
static void test_claimed(void **state)
{
	(void)state;
	add_keyslot(o.luks, TO, "somebody else's");
	add("\"3\",\"1\"", TO);
	assert_int_equal(take(), 0);
	assert_int_equal(luks_keyslot_opens(o.luks, FROM, ref_str(SECRET)), 0);
	assert_int_equal(luks_keyslot_opens(o.luks, TO, ref_str("somebody else's")), 0);
}

int main(void)
{
#define VOLUME_TEST(test) cmocka_unit_test_setup_teardown(test, make_volume, drop_volume)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text), VOLUME_TEST(test_moved),   VOLUME_TEST(test_both),
		VOLUME_TEST(test_taken),     VOLUME_TEST(test_claimed),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
