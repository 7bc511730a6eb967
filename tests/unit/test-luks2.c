/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes and tokens as programs read them that change nothing. */
#include "token/luks2.h"

#include "tests/unit/local.h"
#include "tests/unit/volume.h"

#define SECRET "the secret of this test"

enum { SLOT = 2 };

const struct pin *const pins[] = {&pin_local, NULL};

static struct volume volume;

static int make_volume(void **state)
{
	(void)state;
	crypt_token_external_disable();
	volume_make(&volume, SLOT, SECRET);
	return 0;
}

static int drop_volume(void **state)
{
	(void)state;
	volume_done(&volume);
	return 0;
}

static void put(int id, const char *json)
{
	assert_int_equal(crypt_token_json_set(volume.cd, id, json), id);
}

static void test_open(void **state)
{
	struct crypt_device *cd = NULL;

	(void)state;
	assert_int_equal(luks2_open("/nonexistent", NULL, &cd), -ENODEV);
	assert_int_equal(luks2_open("/dev/null", NULL, &cd), -ENODEV);
	assert_int_equal(luks2_open(volume.path, "/nonexistent", &cd), -ENODEV);
	assert_int_equal(luks2_open("/bin/sh", NULL, &cd), -ENOENT);
	assert_null(cd);

	assert_int_equal(luks2_open(volume.path, NULL, &cd), 0);
	assert_string_equal(crypt_get_uuid(cd), crypt_get_uuid(volume.cd));
	crypt_free(cd);
	assert_int_equal(luks2_open("/bin/sh", volume.path, &cd), 0);
	assert_string_equal(crypt_get_uuid(cd), crypt_get_uuid(volume.cd));
	crypt_free(cd);
}

static void test_token(void **state)
{
	static const struct {
		const char *json;
		bool told;
	} others[] = {
		{"{\"type\":\"other\",\"keyslots\":[\"2\"]}", false},
		{"{\"type\":\"cotter-unknown\",\"keyslots\":[\"2\"]}", false},
		{"{\"type\":\"cotter-local\",\"keyslots\":[\"2\"]}", true},
	};
	CLEANUP(token_done) struct token token = {0};
	struct lines lines;
	char *json = local_token("{}", SLOT, SECRET), *bare;

	(void)state;
	assert_int_equal(luks2_token(volume.cd, 0, lines_begin(&lines), &token), -ENOENT);
	assert_int_equal(luks2_token(volume.cd, 99, &lines.log, &token), -ENOENT);
	assert_int_equal(lines.n_errors, 0);
	for (int i = 0; i < (int)ARRAY_SIZE(others); i++) {
		put(i, others[i].json);
		expect(others[i].json, luks2_token(volume.cd, i, lines_begin(&lines), &token),
		       -ENOENT);
		assert_int_equal(lines.n_errors > 0, others[i].told);
	}

	put(5, json);
	bare = strdup(json);
	assert_non_null(bare);
	assert_non_null(strstr(bare, "[\"2\"]"));
	memcpy(strstr(bare, "[\"2\"]"), "[   ]", 5);
	put(6, bare);
	assert_int_equal(luks2_token(volume.cd, 6, lines_begin(&lines), &token), -ENOENT);
	assert_null(token.pin);
	assert_int_equal(luks2_token(volume.cd, 5, &lines.log, &token), 0);
	assert_ptr_equal(token.pin, &pin_local);
	assert_int_equal(token.n_keyslots, 1);
	assert_int_equal(token.keyslots[0], SLOT);
	free(bare);
	free(json);
}

/* Each by its own function alone. */
static void test_clevis_token(void **state)
{
	CLEANUP(token_done) struct token token = {0};
	struct lines lines;
	char *ours = local_token("{}", SLOT, SECRET), *theirs = NULL;
	json_t *json = json_of(ours);

	(void)state;
	assert_int_equal(json_object_set_new(json, "type", json_string("clevis")), 0);
	assert_int_equal(js_dump(json, &theirs), 0);
	put(0, ours);
	put(1, theirs);
	assert_int_equal(luks2_token(volume.cd, 1, lines_begin(&lines), &token), -ENOENT);
	assert_int_equal(luks2_clevis_token(volume.cd, 0, &lines.log, &token), -ENOENT);
	assert_null(token.pin);
	assert_int_equal(luks2_clevis_token(volume.cd, 1, &lines.log, &token), 0);
	assert_ptr_equal(token.pin, &pin_local);
	assert_int_equal(token.keyslots[0], SLOT);
	assert_int_equal(lines.n_errors, 0);
	json_decref(json);
	free(ours);
	free(theirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_token, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_clevis_token, make_volume, drop_volume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
