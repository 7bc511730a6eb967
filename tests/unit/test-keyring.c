/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing a folder of keys. */
#include "tang/server/keyring.h"

#include "crypto/ecmr-key.h"
#include "tests/unit/tang-folder.h"

#include <fcntl.h>
#include <sys/file.h>

static struct keyring opened(enum keyring_access access)
{
	struct keyring ring;

	assert_int_equal(keyring_open(root, access, NULL, &ring), 0);
	return ring;
}

static bool there(const char *path)
{
	struct stat st;

	return lstat(under(path), &st) == 0;
}

static void assert_names(const char *want)
{
	CLEANUP(keyring_done) struct keyring ring = opened(KEYRING_READ);
	char text[1024] = "";

	for (size_t i = 0; i < ring.n; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			       i > 0 ? " " : "", ring.files[i].name);
	assert_string_equal(text, want);
}

static void test_add(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(curve_names); i++)
		for (int use = KEYRING_SIGNING; use <= KEYRING_EXCHANGE; use++) {
			CLEANUP(keyring_done) struct keyring ring = opened(KEYRING_CHANGE), after;
			char name[JWK_THUMBPRINT_MAX + 1], path[64];
			const struct key *key = NULL;
			struct stat st;

			assert_int_equal(keyring_add(&ring, curve_by_name(curve_names[i]),
						     (enum keyring_use)use, name),
					 0);
			(void)snprintf(path, sizeof(path), "/%s.jwk", name);
			assert_int_equal(stat(under(path), &st), 0);
			assert_int_equal(st.st_mode & 07777, 0440);

			after = opened(KEYRING_READ);
			for (size_t k = 0; k < after.n; k++)
				if (strcmp(key_name(after.files[k].key), name) == 0)
					key = after.files[k].key;
			assert_non_null(key);
			assert_string_equal(key->jwk.curve->name, curve_names[i]);
			assert_int_equal(key->signs, use == KEYRING_SIGNING);
			assert_int_equal(key->exchange != NULL, use == KEYRING_EXCHANGE);
		}
}

static void test_advertises(void **state)
{
	struct keyring ring = opened(KEYRING_READ);

	(void)state;
	assert_false(keyring_advertises(&ring, KEYRING_SIGNING));
	keyring_done(&ring);
	put_pair("s.jwk", ".x.jwk");
	ring = opened(KEYRING_READ);
	assert_true(keyring_advertises(&ring, KEYRING_SIGNING));
	assert_false(keyring_advertises(&ring, KEYRING_EXCHANGE));
	keyring_done(&ring);
}

/* Two files with one key are two: each must be hidden for the key to be. */
static void test_twins(void **state)
{
	(void)state;
	put_pair("s.jwk", "x.jwk");
	assert_int_equal(link(under("/x.jwk"), under("/y.jwk")), 0);
	assert_names("s.jwk x.jwk y.jwk");
}

static const struct keys_file *file_called(const struct keyring *ring, const char *name)
{
	for (size_t i = 0; i < ring->n; i++)
		if (strcmp(ring->files[i].name, name) == 0)
			return &ring->files[i];
	fail_msg("there is no %s", name);
	return NULL;
}

static void test_hide_and_remove(void **state)
{
	struct keyring ring;

	(void)state;
	put_pair("s.jwk", "x.jwk");
	ring = opened(KEYRING_CHANGE);
	assert_int_equal(keyring_hide(&ring, file_called(&ring, "x.jwk")), 0);
	assert_int_equal(keyring_sync(&ring), 0);
	keyring_done(&ring);
	assert_names("s.jwk .x.jwk");
	ring = opened(KEYRING_CHANGE);
	assert_int_equal(keyring_remove(&ring, file_called(&ring, ".x.jwk")), 0);
	assert_int_equal(keyring_remove(&ring, file_called(&ring, ".x.jwk")), -ENOENT);
	keyring_done(&ring);
	assert_names("s.jwk");
}

/* A hidden key by that name is another one, which somebody may be bound to. */
static void test_hide_beside(void **state)
{
	struct keyring ring;
	char want[128];

	(void)state;
	put_pair("x.jwk", ".x.jwk");
	ring = opened(KEYRING_CHANGE);
	(void)snprintf(want, sizeof(want), "/.%s.1.jwk",
		       key_name(file_called(&ring, "x.jwk")->key));
	assert_int_equal(keyring_hide(&ring, file_called(&ring, "x.jwk")), 0);
	keyring_done(&ring);
	assert_true(there("/.x.jwk"));
	assert_true(there(want));
	assert_false(there("/x.jwk"));
}

/* One that reads leaves alone what one that writes may be writing. */
static void test_leftovers(void **state)
{
	struct keyring ring;

	(void)state;
	put_pair("s.jwk", "x.jwk");
	put("/y.jwk.new", "half");
	put("/other.new", "somebody's");
	put("/.jwk.new", "somebody's"); /* no name of ours */
	ring = opened(KEYRING_READ);
	keyring_done(&ring);
	assert_true(there("/y.jwk.new"));
	ring = opened(KEYRING_CHANGE);
	keyring_done(&ring);
	assert_false(there("/y.jwk.new"));
	assert_true(there("/other.new"));
	assert_names("s.jwk x.jwk");
}

/* Two that change wait for each other; one that reads does not. */
static void test_lock(void **state)
{
	struct keyring ring = opened(KEYRING_CHANGE), reader = opened(KEYRING_READ);
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
	keyring_done(&ring);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	keyring_done(&reader);
	(void)close(fd);
}

static void test_errors(void **state)
{
	struct keyring ring;
	struct lines lines;

	(void)state;
	put("/file", "");
	assert_int_equal(keyring_open(under("/none"), KEYRING_CHANGE, lines_begin(&lines), &ring),
			 -ENOENT);
	assert_told("no folder", &lines, "/none: No such file or directory.");
	assert_int_equal(keyring_open(under("/file"), KEYRING_READ, lines_begin(&lines), &ring),
			 -ENOTDIR);
	assert_told("a file", &lines, "/file: Not a directory.");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh_root, remove_root)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_add),         TEST(test_advertises),
		TEST(test_twins),       TEST(test_hide_and_remove),
		TEST(test_hide_beside), TEST(test_leftovers),
		TEST(test_lock),        TEST(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
