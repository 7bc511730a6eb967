/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bindings: rehearsed without a byte written, made whole, and undone where they cannot be. */
#include "enroll/luks-bind.h"

#include "tests/unit/opened.h"

#define SECRET "the secret of the new keyslot"

enum { JSON_AREA = 12 * 1024 }; /* of the volumes here, which is the default */

static struct opened o;
static struct buf volume_key;
static char *text; /* of the token to bind */

static int begin(void **state)
{
	(void)state;
	return luks_setup(false, NULL);
}

static int make_volume(void **state)
{
	char *with_keyslot;
	json_t *json;

	(void)state;
	opened_begin(&o);
	assert_int_equal(luks_unlock_by_passphrase(o.luks, ref_str(PASSPHRASE), &volume_key), 0);
	with_keyslot = local_token("{}", 0, SECRET);
	json = json_of(with_keyslot);
	free(with_keyslot);
	change(json, "keyslots", "[]");
	assert_int_equal(js_dump(json, &text), 0);
	json_decref(json);
	return 0;
}

static int drop_volume(void **state)
{
	(void)state;
	free(text);
	buf_done(&volume_key);
	opened_end(&o);
	return 0;
}

static struct binding usual_binding(void)
{
	return (struct binding){
		.json = text,
		.secret = ref_str(SECRET),
		.volume_key = buf_ref(&volume_key),
		.keyslot = LUKS_ANY,
		.token = LUKS_ANY,
	};
}

/* The header's JSON without the sequence number that each commit raises. */
static json_t *metadata(void)
{
	static char area[JSON_AREA + 1];
	int fd = open(o.volume.path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(pread(fd, area, JSON_AREA, LUKS2_JSON_AT), JSON_AREA);
	(void)close(fd);
	return json_of(area);
}

static void assert_metadata(const json_t *before)
{
	CLEANUP_JSON json_t *after = metadata();

	assert_true(json_equal(before, after));
}

static size_t json_used(void)
{
	CLEANUP_JSON json_t *json = metadata();
	char *dump = json_dumps(json, JSON_COMPACT);
	size_t n = strlen(dump);

	free(dump);
	return n;
}

/* Another program's token that leaves `room` bytes, or a few less, of the JSON area. */
static void fill(size_t room)
{
	static const char frame[] = "\"31\":{\"type\":\"f\",\"keyslots\":[],\"x\":\"\"},";
	char padding[JSON_AREA] = "";
	char *token = NULL;
	size_t used = json_used();

	assert_true(used + strlen(frame) + room < JSON_AREA);
	memset(padding, 'x', JSON_AREA - used - strlen(frame) - room);
	assert_true(asprintf(&token, "{\"type\":\"f\",\"keyslots\":[],\"x\":\"%s\"}", padding) > 0);
	add_token(o.luks, 31, token);
	free(token);
}

/* Neither on a copy nor on the volume; no trace is left of it. */
static void expect_no_binding(const struct binding *binding, int want, const char *words)
{
	CLEANUP_JSON json_t *before = metadata();
	struct print print = print_of(o.volume.path), after;
	struct bound bound;

	memset(&bound, UNTOUCHED, sizeof(bound));
	opened_forget_lines(&o);
	expect(words, luks_bind_rehearse(o.luks, binding), want);
	assert_told("rehearsal", &o.lines, words);
	after = print_of(o.volume.path);
	assert_same_print(&print, &after);

	opened_forget_lines(&o);
	expect(words, luks_bind_make(o.luks, binding, &bound), want);
	assert_told("binding", &o.lines, words);
	assert_untouched(words, &bound, sizeof(bound));
	assert_metadata(before);
}

static void test_rehearse(void **state)
{
	const struct binding binding = usual_binding();
	struct print before = print_of(o.volume.path), after;

	(void)state;
	assert_int_equal(luks_bind_rehearse(o.luks, &binding), 0);
	after = print_of(o.volume.path);
	assert_same_print(&before, &after);
	assert_int_equal(luks_keyslot(o.luks, 1), LUKS_KEYSLOT_FREE);
	assert_told("rehearsal", &o.lines, NULL);
}

static void test_make(void **state)
{
	const struct binding binding = usual_binding();
	struct crypt_pbkdf_type pbkdf;
	struct bound bound;

	(void)state;
	add_token(o.luks, 0, "{\"type\":\"f\",\"keyslots\":[]}");
	assert_int_equal(luks_bind_make(o.luks, &binding, &bound), 0);
	assert_int_equal(bound.keyslot, 1);
	assert_int_equal(bound.token, 1);
	assert_int_equal(luks_token_keyslots(o.luks, 1), 1 << 1);
	assert_int_equal(luks_keyslot_opens(o.luks, 1, ref_str(SECRET)), 0);
	assert_int_equal(luks_keyslot_opens(o.luks, 0, ref_str(PASSPHRASE)), 0);
	assert_told("binding", &o.lines, NULL);

	assert_int_equal(crypt_keyslot_get_pbkdf(o.luks->cd, 1, &pbkdf), 0);
	assert_string_equal(pbkdf.type, CRYPT_KDF_PBKDF2);
	assert_int_equal(pbkdf.iterations, 1000);

	/* as another process finds it */
	assert_int_equal(volume_load(&o.volume), 0);
	assert_int_equal(crypt_activate_by_token_pin(o.volume.cd, NULL, NULL, 1, NULL, 0, NULL, 0),
			 1);
}

static void test_numbers(void **state)
{
	struct binding binding = usual_binding();
	struct bound bound;

	(void)state;
	binding.keyslot = 31;
	binding.token = 0;
	assert_int_equal(luks_bind_rehearse(o.luks, &binding), 0);
	assert_int_equal(luks_bind_make(o.luks, &binding, &bound), 0);
	assert_int_equal(bound.keyslot, 31);
	assert_int_equal(bound.token, 0);
	assert_int_equal(luks_token_keyslots(o.luks, 0), UINT32_C(1) << 31);
}

/* By name it costs what cryptsetup would have it cost. */
static void test_pbkdf(void **state)
{
	struct binding binding = usual_binding();
	struct crypt_pbkdf_type pbkdf;
	struct bound bound;

	(void)state;
	binding.pbkdf = "pbkdf2";
	assert_int_equal(luks_bind_make(o.luks, &binding, &bound), 0);
	assert_int_equal(crypt_keyslot_get_pbkdf(o.luks->cd, (int)bound.keyslot, &pbkdf), 0);
	assert_string_equal(pbkdf.type, CRYPT_KDF_PBKDF2);
	assert_true(pbkdf.iterations > 1000);
}

static void test_errors(void **state)
{
	struct binding binding = usual_binding();

	(void)state;
	binding.keyslot = 0;
	expect_no_binding(&binding, -EIO, "the keyslot could not be added to /tmp/");
	binding = usual_binding();
	binding.pbkdf = "unknown";
	expect_no_binding(&binding, -EIO, "the keyslot could not be added to /tmp/");
	binding = usual_binding();
	binding.token = 32;
	expect_no_binding(&binding, -EIO, "the token could not be written to /tmp/");
	binding = usual_binding();
	volume_key.p[0] ^= 1;
	expect_no_binding(&binding, -EIO, "the keyslot could not be added to /tmp/");
}

/* Only what surely does not fit is refused by its least size, with an area for twice all of it. */
static void test_room(void **state)
{
	static const struct {
		size_t size;
		const char *words; /* NULL: it may fit */
	} cases[] = {
		{0, NULL},
		{8000, NULL},
		{12288, "token needs at least 12288 and its keyslot about 350"},
		{12288, "--luks2-metadata-size=64k)"},
		{40000, "--luks2-metadata-size=128k)"},
		{100000, "--luks2-metadata-size=256k)"},
		{4000000, "--luks2-metadata-size=4m)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *words = cases[i].words;

		opened_forget_lines(&o);
		expect(words ? words : "fits", luks_bind_room(o.luks, cases[i].size),
		       words ? -ENOSPC : 0);
		assert_told("room", &o.lines, words);
	}
}

/* The token that a run left which was ended is written over, and its room counts. */
static void test_over_orphan(void **state)
{
	struct binding binding = usual_binding();
	struct bound bound;

	(void)state;
	add_token(o.luks, 3, text);
	fill(600);
	assert_int_equal(luks_bind_room(o.luks, strlen(text)), 0);
	binding.token = 3;
	assert_int_equal(luks_bind_rehearse(o.luks, &binding), 0);
	assert_int_equal(luks_bind_make(o.luks, &binding, &bound), 0);
	assert_int_equal(bound.token, 3);
	assert_int_equal(luks_token_keyslots(o.luks, 3), 1 << 1);
	assert_int_equal(luks_keyslot_opens(o.luks, 1, ref_str(SECRET)), 0);

	/* it has a keyslot now, so it is in nobody's place */
	opened_forget_lines(&o);
	assert_int_equal(luks_bind_room(o.luks, strlen(text)), -ENOSPC);
}

static void test_no_room_for_token(void **state)
{
	const struct binding binding = usual_binding();

	(void)state;
	fill(strlen(text) / 2);
	expect_no_binding(&binding, -ENOSPC, "has no room: its JSON area takes 12288 bytes");
}

static void test_no_room_for_keyslot(void **state)
{
	const struct binding binding = usual_binding();

	(void)state;
	fill(strlen(text) + 100);
	expect_no_binding(&binding, -ENOSPC, "has no room: its JSON area takes 12288 bytes");
}

static void test_token_ids_taken(void **state)
{
	const struct binding binding = usual_binding();

	(void)state;
	for (int i = 0; i < LUKS_TOKENS; i++)
		add_token(o.luks, i, "{\"type\":\"f\",\"keyslots\":[]}");
	expect_no_binding(&binding, -ENOSPC, "all 32 token ids of /tmp/");
}

/* The default header has room for all of them, just not for much else. */
static void test_keyslots_taken(void **state)
{
	const struct binding binding = usual_binding();

	(void)state;
	for (int i = 1; i < LUKS_KEYSLOTS; i++)
		add_keyslot(o.luks, i, "other");
	expect_no_binding(&binding, -ENOSPC, "all 32 keyslots of /tmp/");
}

/* The area of the keyslots' own bytes can be full as well. */
static void test_keyslots_area_full(void **state)
{
	const struct binding binding = usual_binding();
	struct crypt_params_luks2 params = {.pbkdf = &opened_pbkdf, .sector_size = 512};

	(void)state;
	o.luks = luks_free(o.luks);
	assert_int_equal(crypt_init(&o.volume.cd, o.volume.path), 0);
	assert_int_equal(crypt_set_metadata_size(o.volume.cd, 0, 2 * 256 * 1024), 0);
	assert_int_equal(crypt_format(o.volume.cd, CRYPT_LUKS2, "aes", "xts-plain64", NULL,
				      (const char *)volume_key.p, volume_key.n, &params),
			 0);
	assert_int_equal(crypt_keyslot_add_by_volume_key(o.volume.cd, 0, NULL, 0, PASSPHRASE,
							 strlen(PASSPHRASE)),
			 0);
	opened_again(&o);
	add_keyslot(o.luks, 1, "other");
	expect_no_binding(&binding, -ENOSPC, "area of /tmp/");
}

/* A volume whose file is cut short, or went away, meanwhile. */
static void test_io_errors(void **state)
{
	const struct binding binding = usual_binding();
	struct bound bound;

	(void)state;
	assert_int_equal(truncate(o.volume.path, 1000), 0);
	assert_int_equal(luks_bind_rehearse(o.luks, &binding), -EIO);
	assert_told("rehearsal", &o.lines, "could not be copied to memory");

	assert_int_equal(unlink(o.volume.path), 0);
	opened_forget_lines(&o);
	assert_int_equal(luks_bind_undo(o.luks, &binding, NULL), -EIO);
	assert_told("undoing", &o.lines, "the failed binding may be left in the header of /tmp/");

	opened_forget_lines(&o);
	assert_int_equal(luks_bind_make(o.luks, &binding, &bound), -EIO);
	assert_int_equal(o.lines.n_errors, 2);
	assert_non_null(strstr(o.lines.errors, "the token could not be written to /tmp/"));
	assert_non_null(strstr(o.lines.errors, "the failed binding may be left"));
}

/* Token and keyslot, or the token alone; nothing else, and nothing where nothing is. */
static void test_undo(void **state)
{
	const struct binding binding = usual_binding();
	CLEANUP_JSON json_t *before = NULL;
	struct bound bound;

	(void)state;
	add_keyslot(o.luks, 5, "other");
	add_local(o.luks, 0, "{}", 1 << 5, "other");
	add_token(o.luks, 3, "{\"type\":\"f\",\"keyslots\":[\"0\"]}");
	before = metadata();

	for (int i = 0; i < 3; i++) {
		if (i == 1)
			add_token(o.luks, 7, text);
		if (i == 2)
			assert_int_equal(luks_bind_make(o.luks, &binding, &bound), 0);
		assert_int_equal(luks_bind_undo(o.luks, &binding, i == 2 ? &bound : NULL), 0);
		assert_metadata(before);
	}
	assert_told("undoing", &o.lines, NULL);
	assert_int_equal(luks_keyslot_opens(o.luks, 5, ref_str("other")), 0);
	assert_int_equal(luks_keyslot_opens(o.luks, 0, ref_str(PASSPHRASE)), 0);
}

/* As libcryptsetup without memory leaves it: the token does not name its keyslot. */
static void test_undo_unassigned(void **state)
{
	const struct binding binding = usual_binding();
	CLEANUP_JSON json_t *before = metadata();
	struct bound bound;

	(void)state;
	assert_int_equal(luks_bind_make(o.luks, &binding, &bound), 0);
	assert_int_equal(
		crypt_token_unassign_keyslot(o.luks->cd, (int)bound.token, (int)bound.keyslot),
		(int)bound.token);
	assert_int_equal(luks_bind_undo(o.luks, &binding, &bound), 0);
	assert_metadata(before);
	assert_told("undoing", &o.lines, NULL);
}

/* Somebody has put a token and a keyslot of their own there meanwhile. */
static void test_undo_of_another(void **state)
{
	const struct binding binding = usual_binding();
	const struct bound bound = {.keyslot = 5, .token = 3};
	json_t *before;

	(void)state;
	add_keyslot(o.luks, 5, "other");
	add_token(o.luks, 3, "{\"type\":\"f\",\"keyslots\":[\"5\"]}");
	before = metadata();
	assert_int_equal(luks_bind_undo(o.luks, &binding, &bound), 0);
	assert_metadata(before);
	json_decref(before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rehearse, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_make, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_numbers, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_pbkdf, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_errors, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_room, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_over_orphan, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_no_room_for_token, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_no_room_for_keyslot, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_token_ids_taken, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_keyslots_taken, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_keyslots_area_full, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_io_errors, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_undo, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_undo_unassigned, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_undo_of_another, make_volume, drop_volume),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
