/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a folder of keys, and all that may lie in one. */
#include "tang/server/folder.h"

#include "tests/unit/tang-folder.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

/* A reading as keys; the lines of it are in `lines`. */
static struct keys *read_folder(const struct keys *known, struct complaints *complaints,
				struct lines *lines)
{
	struct keys_file *files = NULL;
	struct keys *keys = NULL;
	size_t n = 0;

	assert_int_equal(folder_read(root, known, complaints, lines_begin(lines), &files, &n), 0);
	assert_int_equal(keys_new(files, n, &keys), 0);
	return keys;
}

/* What happens just before a file of this name is opened. */
static const char *rotated;

int openat64(int folder, const char *path, int flags, ...); /* openat() by its full name */

int openat64(int folder, const char *path, int flags, ...)
{
	if (rotated && strcmp(path, rotated) == 0) {
		char hidden[64];

		(void)snprintf(hidden, sizeof(hidden), "/.%s", path);
		rotated = NULL;
		move_file(path, hidden);
	}
	return (int)syscall(SYS_openat, folder, path, flags, 0);
}

static void test_names(void **state)
{
	static const char *const good[] = {"a.jwk", ".a.jwk", ".jwk", "a.b.jwk", "..jwk"};
	static const char *const bad[] = {"", "jwk", "a.jwk.new", "a.JWK", "a.jwk ", "a.json"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!folder_is_key(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (folder_is_key(bad[i]))
			fail_msg("%s", bad[i]);
}

static void test_read(void **state)
{
	CLEANUP(complaints_done) struct complaints complaints = {0};
	struct lines lines;

	(void)state;
	put_pair("s.jwk", "x.jwk");
	put_pair(".s.jwk", ".x.jwk");
	put("/a.jwk.new", "half a ke");
	put("/usage.json", "{}");
	put_key("k.jwk.bak", "P-256", KEYRING_SIGNING);
	for (int i = 0; i < 40; i++) { /* more than the first array holds */
		char name[32];

		(void)snprintf(name, sizeof(name), ".k%02d.jwk", i);
		put_key(name, "P-256", KEYRING_EXCHANGE);
	}
	{
		CLEANUP(keys_unrefp) struct keys *keys = read_folder(NULL, &complaints, &lines);
		size_t n = 0;

		assert_int_equal(strncmp(names_of(keys), "s.jwk x.jwk .k00.jwk .k01.jwk ", 30), 0);
		(void)keys_files(keys, &n);
		assert_int_equal(n, 44);
		assert_told("good keys", &lines, NULL);
	}
}

/* A key that is known stays the same, though its file has another name; with it stays its count. */
static void test_known(void **state)
{
	CLEANUP(complaints_done) struct complaints complaints = {0};
	CLEANUP(keys_unrefp) struct keys *first = NULL, *second = NULL;
	struct lines lines;
	struct key *key;

	(void)state;
	put_pair("s.jwk", "x.jwk");
	first = read_folder(NULL, &complaints, &lines);
	key = keys_exchange_key(first);
	move_file("x.jwk", "/.x.jwk");
	second = read_folder(first, &complaints, &lines);
	assert_ptr_equal(keys_find(second, key_name(key)), key);
	assert_string_equal(names_of(second), "s.jwk .x.jwk");
}

/* Between the listing and its turn a file is rotated out; one that is removed is nothing. */
static void test_rotated_meanwhile(void **state)
{
	CLEANUP(complaints_done) struct complaints complaints = {0};
	CLEANUP(keys_unrefp) struct keys *keys = NULL;
	struct lines lines;

	(void)state;
	put_pair("s.jwk", "x.jwk");
	rotated = "x.jwk";
	keys = read_folder(NULL, &complaints, &lines);
	assert_null(rotated);
	assert_string_equal(names_of(keys), "s.jwk .x.jwk");
	assert_told("a rotation", &lines, NULL);
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(fd);
}

/* One line each, once; again only where something else is wrong, or it was right in between. */
static void test_junk(void **state)
{
	static const char *const what[] = {
		"broken.jwk is skipped: it is not a whole",
		"dangling.jwk is skipped: it is a symbolic link to nothing.",
		"empty.jwk is skipped: it is not a whole",
		"folder.jwk is skipped: it is not a file.",
		"huge.jwk is skipped: it is too large for a key.",
		"loop.jwk is skipped: it is a symbolic link to itself.",
		"oct.jwk is skipped: it is no elliptic-curve key",
		"pipe.jwk is skipped: it is not a file.",
		"public.jwk is skipped: it is not a whole",
		"rsa.jwk is skipped: it is no elliptic-curve key",
		"socket.jwk is skipped: it is not a file.",
		"use.jwk is skipped: its key_ops allow neither",
	};
	CLEANUP(complaints_done) struct complaints complaints = {0};
	CLEANUP(free_text) char *huge = calloc(1, 1024 * 1024 + 1);
	struct lines lines;

	(void)state;
	put_pair("s.jwk", "x.jwk");
	put("/broken.jwk", "{\"kty\":\"EC\",");
	put("/empty.jwk", "");
	put("/oct.jwk", "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}");
	put("/rsa.jwk", "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}");
	put("/public.jwk", EC_PUBLIC("P-256", A3_X, A3_Y));
	put("/use.jwk", "{" EC_MEMBERS("P-256", A3_X, A3_Y) ",\"d\":\"" A3_D "\",\"use\":\"enc\"}");
	memset(huge, ' ', 1024 * 1024);
	put("/huge.jwk", huge);
	assert_int_equal(mkdir(under("/folder.jwk"), 0700), 0);
	assert_int_equal(mkfifo(under("/pipe.jwk"), 0600), 0);
	assert_int_equal(symlink("nowhere", under("/dangling.jwk")), 0);
	assert_int_equal(symlink("loop.jwk", under("/loop.jwk")), 0);
	make_socket(under("/socket.jwk"));

	{
		CLEANUP(keys_unrefp) struct keys *keys = read_folder(NULL, &complaints, &lines);

		assert_string_equal(names_of(keys), "s.jwk x.jwk");
		assert_int_equal(lines.n_errors, ARRAY_SIZE(what));
		for (size_t i = 0; i < ARRAY_SIZE(what); i++)
			if (!strstr(lines.errors, what[i]))
				fail_msg("\"%s\" is not in: %s", what[i], lines.errors);
		assert_null(strstr(lines.errors, "c2VjcmV0"));
	}
	keys_unref(read_folder(NULL, &complaints, &lines));
	assert_told("the same again", &lines, NULL);
	put("/broken.jwk", "{\"kty\":\"oct\",\"k\":\"AAAA\"}");
	assert_int_equal(unlink(under("/empty.jwk")), 0);
	keys_unref(read_folder(NULL, &complaints, &lines));
	assert_told("another fault", &lines, "broken.jwk is skipped: it is no elliptic");
	put("/empty.jwk", "");
	keys_unref(read_folder(NULL, &complaints, &lines));
	assert_told("the fault that was gone", &lines, "empty.jwk");
}

/* A file that is seen while it is written is no fault when it is whole. */
static void test_patient(void **state)
{
	CLEANUP(complaints_done) struct complaints complaints = {.patient = true};
	char *text = new_key_text("P-256", KEYRING_EXCHANGE);
	struct lines lines;

	(void)state;
	put("/x.jwk", "");
	put("/y.jwk", "");
	keys_unref(read_folder(NULL, &complaints, &lines));
	assert_told("the first reading", &lines, NULL);
	assert_int_equal(complaints.n_untold, 2);
	put("/x.jwk", text);
	keys_unref(read_folder(NULL, &complaints, &lines));
	assert_told("the second", &lines, "y.jwk is skipped");
	assert_int_equal(complaints.n_untold, 0);
	keys_unref(read_folder(NULL, &complaints, &lines));
	assert_told("the third", &lines, NULL);
	assert_true(complaints.patient);
	free(text);
}

static void test_symlinks(void **state)
{
	CLEANUP(complaints_done) struct complaints complaints = {0};
	CLEANUP(keys_unrefp) struct keys *keys = NULL;
	struct lines lines;

	(void)state;
	put_pair("elsewhere/s", "elsewhere/x");
	assert_int_equal(symlink("elsewhere/s", under("/s.jwk")), 0);
	assert_int_equal(symlink(under("/elsewhere/x"), under("/x.jwk")), 0);
	keys = read_folder(NULL, &complaints, &lines);
	assert_string_equal(names_of(keys), "s.jwk x.jwk");
	assert_told("symbolic links", &lines, NULL);
}

static void test_no_folder(void **state)
{
	CLEANUP(complaints_done) struct complaints complaints = {0};
	struct keys_file *files = NULL;
	size_t n = 0;

	(void)state;
	put("/file", "");
	assert_int_equal(folder_read(under("/none"), NULL, &complaints, NULL, &files, &n), -ENOENT);
	assert_int_equal(folder_read(under("/file"), NULL, &complaints, NULL, &files, &n),
			 -ENOTDIR);
	assert_null(files);
}

/* As a user from whom files can be kept. */
static void test_unreadable(void **state)
{
	CLEANUP(complaints_done) struct complaints complaints = {0};
	CLEANUP(keys_unrefp) struct keys *keys = NULL;
	struct keys_file *files = NULL;
	struct lines lines;
	size_t n = 0;

	(void)state;
	put_pair("s.jwk", "x.jwk");
	put_key("z.jwk", "P-256", KEYRING_SIGNING);
	assert_int_equal(chmod(under("/z.jwk"), 0), 0);
	assert_int_equal(chmod(root, 0755), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	keys = read_folder(NULL, &complaints, &lines);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_told("a file", &lines, "z.jwk is skipped: this user may not read it.");
	assert_string_equal(names_of(keys), "s.jwk x.jwk");

	assert_int_equal(chmod(root, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	assert_int_equal(folder_read(root, NULL, &complaints, NULL, &files, &n), -EACCES);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(root, 0700), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh_root, remove_root)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), TEST(test_read),      TEST(test_known),
		TEST(test_rotated_meanwhile), TEST(test_junk),      TEST(test_patient),
		TEST(test_symlinks),          TEST(test_no_folder), TEST(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
