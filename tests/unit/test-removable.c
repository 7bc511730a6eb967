/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which removable volumes are tried, and when. */
#include "units/removable.h"

#include "tests/unit/local.h"

#include <unistd.h>

#include <libcryptsetup.h>

#define SECRET         "the secret of this test"
#define PATH_OF_OBJECT "/block_devices/stick"

enum { SLOT = 1, VOLUME_SIZE = 20 * 1024 * 1024 };

const struct pin *const pins[] = {&pin_local, NULL};

/* What happened, and who is there. */
static struct scene {
	char file[32];
	struct lines lines;
	struct removable removable;
	struct udisks_object object;
	unsigned secrets;
	int present; /* calls of in_use until nobody is there any more */
} scene;

static bool in_use(const char *seat)
{
	assert_string_equal(seat, "seat0");
	return scene.present-- > 0;
}

static void on_secret(void *to, const char *path, const char *device, struct ref secret, int token)
{
	assert_ptr_equal(to, &scene);
	assert_string_equal(path, PATH_OF_OBJECT);
	assert_string_equal(device, scene.file);
	assert_ref_is(secret, SECRET);
	assert_int_equal(token, 0);
	scene.secrets++;
}

/* An image whose token is of this type and has this configuration. */
static void make_image(const char *type, const char *config)
{
	static const struct crypt_pbkdf_type pbkdf = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha256",
		.iterations = 1000,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_params_luks2 params = {.pbkdf = &pbkdf, .sector_size = 512};
	struct crypt_device *cd = NULL;
	char *text = local_token(config, SLOT, SECRET), *token = NULL;
	json_t *json = json_of(text);

	assert_int_equal(truncate(scene.file, VOLUME_SIZE), 0);
	assert_int_equal(crypt_init(&cd, scene.file), 0);
	assert_int_equal(
		crypt_format(cd, CRYPT_LUKS2, "aes", "xts-plain64", NULL, NULL, 64, &params), 0);
	assert_int_equal(crypt_keyslot_add_by_volume_key(cd, SLOT, NULL, 0, SECRET, strlen(SECRET)),
			 SLOT);
	assert_int_equal(json_object_set_new(json, "type", json_string(type)), 0);
	assert_int_equal(js_dump(json, &token), 0);
	assert_int_equal(crypt_token_json_set(cd, 0, token), 0);
	crypt_free(cd);
	json_decref(json);
	free(text);
	free(token);
}

static int begin(void **state)
{
	int fd;

	(void)state;
	crypt_token_external_disable();
	scene = (struct scene){
		.file = "/tmp/cotter-volume-XXXXXX",
		.present = 1000,
		.removable = {.in_use = in_use, .on_secret = on_secret, .to = &scene},
		.object = {.path = PATH_OF_OBJECT, .encrypted = true, .hint_auto = true},
	};
	fd = mkstemp(scene.file);
	assert_true(fd >= 0);
	close(fd);
	(void)snprintf(scene.object.device, sizeof(scene.object.device), "%s", scene.file);
	scene.removable.round.log = lines_begin(&scene.lines);
	local_decrypts = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	removable_done(&scene.removable);
	(void)unlink(scene.file);
	return 0;
}

static void update(void)
{
	assert_int_equal(removable_update(&scene.removable, &scene.object), 0);
	removable_step(&scene.removable);
}

static void test_once(void **state)
{
	(void)state;
	make_image("cotter-local", "{}");
	update();
	assert_int_equal(scene.secrets, 1);
	assert_false(removable_running(&scene.removable));
	assert_true(removable_next_us(&scene.removable) == UINT64_MAX);
	update();
	assert_int_equal(scene.secrets, 1);

	removable_gone(&scene.removable, "/block_devices/other");
	update();
	assert_int_equal(scene.secrets, 1);
	removable_gone(&scene.removable, PATH_OF_OBJECT);
	update();
	assert_int_equal(scene.secrets, 2);
	assert_int_equal(removable_update(&scene.removable, NULL), 0);
	update();
	assert_int_equal(scene.secrets, 3);
}

static void test_clevis(void **state)
{
	(void)state;
	make_image("clevis", "{}");
	update();
	assert_int_equal(scene.secrets, 1);
}

static void test_other(void **state)
{
	(void)state;
	make_image("other", "{}");
	update();
	assert_int_equal(scene.secrets, 0);
	assert_int_equal(scene.lines.n_errors, 0);
	assert_true(removable_next_us(&scene.removable) == UINT64_MAX);
}

/* What somebody else unlocked, before or while it is tried, is not unlocked when it is locked again. */
static void test_unlocked_by_others(void **state)
{
	(void)state;
	make_image("cotter-local", "{}");
	scene.present = 0;
	update();
	(void)snprintf(scene.object.cleartext, sizeof(scene.object.cleartext), "/dm");
	update();
	(void)snprintf(scene.object.cleartext, sizeof(scene.object.cleartext), "/");
	scene.present = 1000;
	update();
	assert_int_equal(local_decrypts, 0);
	assert_int_equal(scene.secrets, 0);
}

static void test_nobody_there(void **state)
{
	(void)state;
	make_image("cotter-local", "{}");
	scene.present = 0;
	update();
	assert_int_equal(local_decrypts, 0);
	assert_true(removable_next_us(&scene.removable) == UINT64_MAX);

	/* Who leaves while it is recovered is given nothing, and finds it tried again. */
	scene.present = 1;
	removable_step(&scene.removable);
	assert_int_equal(local_decrypts, 1);
	assert_int_equal(scene.secrets, 0);
	scene.present = 1000;
	removable_network_changed(&scene.removable);
	removable_step(&scene.removable);
	assert_int_equal(scene.secrets, 1);
}

static void test_again(void **state)
{
	uint64_t now = now_us();

	(void)state;
	make_image("cotter-local", "{\"result\":110,\"words\":\"no answer\"}");
	update();
	assert_int_equal(local_decrypts, 1);
	assert_in_range(removable_next_us(&scene.removable), now + 1, now + 3 * USEC_PER_SEC);
	removable_step(&scene.removable);
	assert_int_equal(local_decrypts, 1);
	removable_network_changed(&scene.removable);
	removable_step(&scene.removable);
	assert_int_equal(local_decrypts, 2);
	assert_int_equal(scene.secrets, 0);
}

static void test_for_good(void **state)
{
	(void)state;
	make_image("cotter-local", "{\"result\":129,\"words\":\"other values\"}");
	update();
	assert_true(scene.lines.n_errors > 0);
	removable_network_changed(&scene.removable);
	update();
	assert_int_equal(local_decrypts, 1);
	assert_true(removable_next_us(&scene.removable) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_once, begin, end),
		cmocka_unit_test_setup_teardown(test_clevis, begin, end),
		cmocka_unit_test_setup_teardown(test_other, begin, end),
		cmocka_unit_test_setup_teardown(test_unlocked_by_others, begin, end),
		cmocka_unit_test_setup_teardown(test_nobody_there, begin, end),
		cmocka_unit_test_setup_teardown(test_again, begin, end),
		cmocka_unit_test_setup_teardown(test_for_good, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
