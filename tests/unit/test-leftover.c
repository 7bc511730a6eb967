/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a stopped run left: ended by the next where the token can be recovered, named where it cannot. */
#include "enroll/leftover.h"

#include "enroll/luks-takeover.h"
#include "tests/unit/capture.h"
#include "tests/unit/opened.h"

#define OLD "the old secret, which is long enough to be a key"
#define NEW "the new secret, which is long enough to be a key"

static struct opened o;
static struct output out;

static int begin(void **state)
{
	(void)state;
	return luks_setup(false, NULL);
}

static int make_volume(void **state)
{
	(void)state;
	opened_begin(&o);
	add_keyslot(o.luks, 1, OLD);
	add_local(o.luks, 3, "{}", 1 << 1, OLD);
	out = (struct output){0};
	return output_init(&out);
}

static int drop_volume(void **state)
{
	(void)state;
	output_done(&out);
	opened_end(&o);
	return 0;
}

/* The new token beside the old one, and nothing more. */
static void stop_beside(const char *config)
{
	CLEANUP(buf_done) struct buf key = {0};
	CLEANUP_JSON json_t *json = NULL;
	char *text = local_token(config, 0, NEW);
	struct luks_takeover takeover = {.token = 3, .keyslot = 1, .secret = ref_str(OLD)};
	struct bound bound;

	json = json_of(text);
	free(text);
	change(json, "keyslots", "[]");
	assert_int_equal(js_dump(json, &text), 0);
	assert_int_equal(luks_unlock_by_passphrase(o.luks, ref_str(PASSPHRASE), &key), 0);
	takeover.binding = (struct binding){.json = text,
					    .secret = ref_str(NEW),
					    .volume_key = buf_ref(&key),
					    .keyslot = LUKS_ANY,
					    .token = LUKS_ANY};
	assert_int_equal(luks_takeover_rehearse(o.luks, &takeover), 0);
	assert_int_equal(luks_takeover_begin(o.luks, &takeover, &bound), 0);
	assert_int_equal(bound.token, 0);
	luks_takeover_done(&takeover);
	free(text);
}

static const char *clear(void)
{
	struct capture capture = capture_begin(STDERR_FILENO);
	int r = leftover_clear(o.luks, &out);
	const char *text = capture_end(&capture);

	assert_int_equal(r, 0);
	return text;
}

static void test_nothing(void **state)
{
	struct print before = print_of(o.volume.path), after;

	(void)state;
	assert_string_equal(clear(), "");
	after = print_of(o.volume.path);
	assert_same_print(&before, &after);
}

static void test_ended(void **state)
{
	const char *type, *json, *said;

	(void)state;
	stop_beside("{}");
	said = clear();
	assert_non_null(strstr(said, "finished what an interrupted run began with token 0"));
	assert_int_equal(luks_token(o.luks, 0, &type, &json), -ENOENT);
	assert_int_equal(luks_token_keyslots(o.luks, 3), 1 << 2);
	assert_int_equal(luks_keyslot_opens(o.luks, 2, ref_str(NEW)), 0);
	assert_int_equal(luks_keyslot(o.luks, 1), LUKS_KEYSLOT_FREE);
	assert_string_equal(clear(), "");
}

/* The old binding is what opens the volume then, so nothing of it may go. */
static void test_named(void **state)
{
	struct print before, after;

	(void)state;
	stop_beside("{\"result\":5,\"words\":\"it is broken\"}");
	before = print_of(o.volume.path);
	for (int i = 0; i < 2; i++)
		assert_non_null(strstr(clear(), "left token 0 of"));
	after = print_of(o.volume.path);
	assert_same_print(&before, &after);
	assert_int_equal(luks_keyslot_opens(o.luks, 1, ref_str(OLD)), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_ended, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_named, make_volume, drop_volume),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
