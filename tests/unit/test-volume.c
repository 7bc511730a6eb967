/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LUKS2 volumes and their Clevis bindings: made, made anew, removed, and brought to an end after a stop. */
#include "enroll/clevis/volume.h"

#include "tests/unit/lines.h"
#include "token/token.h"

#include <fcntl.h>
#include <stdio.h>

#include <libcryptsetup.h>

#define PASSPHRASE "a person's passphrase"
#define OLD        "the old secret, which is long enough to be a key"
#define NEW        "the new secret, which is long enough to be a key"
#define OLD_JWE    "b2xk..iv.text.tag"
#define NEW_JWE    "bmV3..iv.text.tag"

const struct pin *const pins[] = {NULL};

static char path[sizeof("/tmp/cotter-XXXXXX")];
static struct lines lines;
static struct volume volume;
static struct buf volume_key;
static int proofs;     /* calls */
static int proof_says; /* their result */

static int begin(void **state)
{
	(void)state;
	return luks_setup(false, NULL) < 0 ? -1 : luks_carry("clevis", NULL);
}

static void format(const char *type)
{
	const struct crypt_pbkdf_type pbkdf = {.type = CRYPT_KDF_PBKDF2,
					       .hash = "sha256",
					       .iterations = 1000,
					       .flags = CRYPT_PBKDF_NO_BENCHMARK};
	struct crypt_device *cd = NULL;
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/cotter-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 20 * 1024 * 1024), 0);
	(void)close(fd);
	assert_int_equal(crypt_init(&cd, path), 0);
	assert_int_equal(crypt_set_pbkdf_type(cd, &pbkdf), 0);
	assert_int_equal(crypt_format(cd, type, "aes", "xts-plain64", NULL, NULL, 64, NULL), 0);
	assert_int_equal(
		crypt_keyslot_add_by_volume_key(cd, 0, NULL, 0, PASSPHRASE, strlen(PASSPHRASE)), 0);
	crypt_free(cd);
}

static void open_it(void)
{
	volume_done(&volume);
	assert_int_equal(volume_load(path, true, lines_begin(&lines), &volume), 0);
}

static int make_volume(void **state)
{
	(void)state;
	format(CRYPT_LUKS2);
	open_it();
	assert_int_equal(luks_unlock_by_passphrase(volume.luks, ref_str(PASSPHRASE), &volume_key),
			 0);
	proofs = 0;
	proof_says = 0;
	return 0;
}

static int drop_volume(void **state)
{
	(void)state;
	buf_done(&volume_key);
	volume_done(&volume);
	(void)unlink(path);
	return 0;
}

static int prove(void *arg, struct volume *of, unsigned slot)
{
	CLEANUP(free_text) char *jwe = NULL;

	proofs++;
	assert_ptr_equal(of, &volume);
	assert_int_equal(of->format->jwe(of, slot, &jwe), 0);
	assert_string_equal(jwe, arg);
	return proof_says;
}

static struct volume_binding binding_of(const char *jwe, const char *secret, int slot, int token)
{
	return (struct volume_binding){
		.jwe = jwe,
		.secret = ref_str(secret),
		.volume_key = buf_ref(&volume_key),
		.slot = slot,
		.token = token,
		.prove = prove,
		.arg = (void *)(uintptr_t)jwe,
	};
}

static void assert_bound(unsigned slot, unsigned token, const char *jwe, const char *secret)
{
	CLEANUP(free_text) char *found = NULL;
	const char *type, *json;

	open_it();
	assert_int_equal(volume.format->jwe(&volume, slot, &found), 0);
	assert_string_equal(found, jwe);
	assert_int_equal(luks_keyslot_opens(volume.luks, slot, ref_str(secret)), 0);
	assert_int_equal(luks_token(volume.luks, token, &type, &json), 0);
	assert_string_equal(type, "clevis");
	assert_null(strstr(json, "cotter"));
	assert_int_equal(luks_token_keyslots(volume.luks, token), UINT32_C(1) << slot);
}

static unsigned count_keyslots(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++)
		n += luks_keyslot(volume.luks, i) != LUKS_KEYSLOT_FREE;
	return n;
}

static void bind_old(int slot, int token)
{
	const struct volume_binding old = binding_of(OLD_JWE, OLD, slot, token);
	unsigned at = 99;

	assert_int_equal(volume.format->add(&volume, &old, &at), 0);
	assert_int_equal(at, slot);
}

static void test_add(void **state)
{
	struct volume_binding binding = binding_of(NEW_JWE, NEW, VOLUME_ANY, VOLUME_ANY);
	unsigned at = 99;

	(void)state;
	bind_old(4, 7);
	assert_int_equal(proofs, 1);
	assert_bound(4, 7, OLD_JWE, OLD);
	assert_int_equal(volume.format->add(&volume, &binding, &at), 0);
	assert_int_equal(at, 1);
	assert_bound(1, 0, NEW_JWE, NEW);

	binding.slot = 4;
	expect("slot", volume.format->add(&volume, &binding, &at), -EEXIST);
	binding.slot = 5;
	binding.token = 7;
	expect("token", volume.format->add(&volume, &binding, &at), -EEXIST);
	binding.token = VOLUME_ANY;
	binding.jwe = "b3RoZXI..iv.text.tag";
	binding.arg = (void *)(uintptr_t)binding.jwe;
	proof_says = -EKEYREJECTED;
	expect("proof", volume.format->add(&volume, &binding, &at), -EKEYREJECTED);
	binding.jwe = "no JWE";
	expect("JWE", volume.format->add(&volume, &binding, &at), -EBADMSG);
	assert_int_equal(at, 1);
	assert_int_equal(count_keyslots(), 3);
}

/* Slot and token id stay, the old secret opens nothing any more. */
static void test_replace(void **state)
{
	struct volume_binding new = binding_of(NEW_JWE, NEW, 4, VOLUME_ANY);

	(void)state;
	bind_old(4, 7);
	proof_says = -EKEYREJECTED;
	expect("proof", volume.format->replace(&volume, &new, ref_str(OLD)), -EKEYREJECTED);
	assert_bound(4, 7, OLD_JWE, OLD);
	assert_int_equal(count_keyslots(), 2);

	proof_says = 0;
	assert_int_equal(volume.format->replace(&volume, &new, ref_str(OLD)), 0);
	assert_bound(4, 7, NEW_JWE, NEW);
	assert_int_equal(count_keyslots(), 2);
	assert_int_equal(luks_opens(volume.luks, ref_str(OLD)), -EPERM);

	new.slot = 5;
	expect("unbound", volume.format->replace(&volume, &new, ref_str(OLD)), -ENOENT);
}

static void test_replace_unknown(void **state)
{
	const struct volume_binding new = binding_of(NEW_JWE, NEW, 4, VOLUME_ANY);

	(void)state;
	bind_old(4, 0);
	assert_int_equal(volume.format->replace(&volume, &new, (struct ref){0}), 0);
	assert_bound(4, 0, NEW_JWE, NEW);
	assert_int_equal(count_keyslots(), 2);
}

static void test_remove(void **state)
{
	char *jwe = NULL;
	const char *type, *json;

	(void)state;
	bind_old(4, 7);
	assert_int_equal(volume.format->remove(&volume, 4), 0);
	open_it();
	assert_int_equal(volume.format->jwe(&volume, 4, &jwe), -ENOENT);
	assert_int_equal(luks_token(volume.luks, 7, &type, &json), -ENOENT);
	assert_int_equal(count_keyslots(), 1);
	expect("again", volume.format->remove(&volume, 4), -ENOENT);
}

static void set_token(int id, const char *json)
{
	assert_int_equal(crypt_token_json_set(volume.luks->cd, id, json), id);
}

static int recover(void *arg, const char *jwe, struct buf *ret)
{
	(void)arg;
	assert_string_equal(jwe, OLD_JWE);
	return buf_copy(ret, ref_str(OLD));
}

/* A stop left a token without a keyslot, and another at the wrong number. */
static void test_resume(void **state)
{
	const char *type, *json;

	(void)state;
	bind_old(4, 7);
	set_token(7, "{\"type\":\"clevis\",\"keyslots\":[\"4\"],\"jwe\":\"" OLD_JWE
		     "\",\"cotter\":{\"place\":2}}");
	set_token(8, "{\"type\":\"clevis\",\"keyslots\":[],\"jwe\":\"" NEW_JWE "\"}");
	set_token(9, "{\"type\":\"another\",\"keyslots\":[]}");
	assert_int_equal(volume.format->resume(&volume, NULL, NULL), 0);
	assert_int_equal(luks_token(volume.luks, 8, &type, &json), -ENOENT);
	assert_int_equal(luks_token(volume.luks, 9, &type, &json), 0);
	assert_int_equal(luks_token_keyslots(volume.luks, 7), 1 << 4);

	assert_int_equal(volume.format->resume(&volume, recover, NULL), 0);
	assert_bound(2, 7, OLD_JWE, OLD);
	assert_int_equal(count_keyslots(), 2);
}

/* Such a token is known by the number that it is to have, too, and removed with both. */
static void test_stopped(void **state)
{
	char *jwe = NULL;

	(void)state;
	bind_old(4, 7);
	set_token(7, "{\"type\":\"clevis\",\"keyslots\":[\"4\"],\"jwe\":\"" OLD_JWE
		     "\",\"cotter\":{\"place\":2}}");
	assert_int_equal(volume.format->jwe(&volume, 2, &jwe), 0);
	free(jwe);
	assert_int_equal(volume.format->remove(&volume, 2), 0);
	assert_int_equal(count_keyslots(), 1);
}

static void test_slot(void **state)
{
	static const struct {
		const char *text;
		int want;
		unsigned slot;
	} rows[] = {{"0", 0, 0},        {"31", 0, 31},      {"007", 0, 7},
		    {"32", -EINVAL, 0}, {"", -EINVAL, 0},   {"-1", -EINVAL, 0},
		    {"1x", -EINVAL, 0}, {" 1", -EINVAL, 0}, {"99999999999999999999", -EINVAL, 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned slot = 0;

		expect(rows[i].text, volume_slot(&volume, rows[i].text, &slot), rows[i].want);
		assert_int_equal(slot, rows[i].slot);
	}
	assert_int_equal(volume.format->init(&volume), -EOPNOTSUPP);
	assert_int_equal(volume.format->check(&volume), 0);
}

static void test_open(void **state)
{
	struct volume none = {0};

	(void)state;
	expect("no such", volume_load("/no/such", false, lines_begin(&lines), &none), -ENOENT);
	assert_told("no such", &lines, "/no/such does not exist");
	expect("no volume", volume_load("/etc/passwd", false, lines_begin(&lines), &none), -ENODEV);
	assert_told("no volume", &lines, "/etc/passwd is not a LUKS volume");
	assert_null(none.luks);
}

static void test_luks1(void **state)
{
	(void)state;
	(void)unlink(path);
	format(CRYPT_LUKS1);
	open_it();
	assert_string_equal(volume.format->name, "luks1");
	assert_true(luks_is_luks1(volume.luks));
	assert_int_equal(luks_opens(volume.luks, ref_str(PASSPHRASE)), 0);
}

int main(void)
{
#define VOLUME_TEST(test) cmocka_unit_test_setup_teardown(test, make_volume, drop_volume)
	const struct CMUnitTest tests[] = {
		VOLUME_TEST(test_add),
		VOLUME_TEST(test_replace),
		VOLUME_TEST(test_replace_unknown),
		VOLUME_TEST(test_remove),
		VOLUME_TEST(test_resume),
		VOLUME_TEST(test_stopped),
		VOLUME_TEST(test_slot),
		VOLUME_TEST(test_open),
		VOLUME_TEST(test_luks1),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
