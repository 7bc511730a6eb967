/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of a folder follow what happens to it, and nobody who asks meanwhile is refused. */
#include "tang/server/store.h"

#include "tang/server/check.h"
#include "tests/unit/tang-folder.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

static struct store *opened(struct lines *lines, bool watched)
{
	struct store *store = NULL;

	assert_int_equal(store_open(root, lines_begin(lines), &store), 0);
	if (watched)
		assert_int_equal(store_watch(store), 0);
	return store;
}

static bool holds(struct store *store, const char *names)
{
	CLEANUP(keys_unrefp) struct keys *keys = store_keys(store);

	return strcmp(names_of(keys), names) == 0;
}

/* What a second is to a program that is watched at each step, on a machine that has more to do. */
#ifdef __SANITIZE_ADDRESS__
enum { SECOND_MS = 5000 };
#else
enum { SECOND_MS = 1000 };
#endif

/* Waits until the store has these files; returns after how many milliseconds. */
static uint64_t wait_for(struct store *store, const char *names)
{
	uint64_t begin = now_us();

	while (!holds(store, names)) {
		if (now_us() - begin > 10 * (uint64_t)USEC_PER_SEC)
			fail_msg("waited in vain for %s", names);
		(void)usleep(500);
	}
	return (now_us() - begin) / USEC_PER_MSEC;
}

static void expect_soon(struct store *store, const char *names)
{
	uint64_t ms = wait_for(store, names);

	if (ms > SECOND_MS)
		fail_msg("%s took %d ms", names, (int)ms);
}

static void test_open(void **state)
{
	struct lines lines;
	struct store *store = NULL;

	(void)state;
	put_pair("s.jwk", "x.jwk");
	store = opened(&lines, false);
	assert_true(holds(store, "s.jwk x.jwk"));
	assert_told("a good folder", &lines, NULL);
	store_close(store);
}

static void test_open_errors(void **state)
{
	struct store *store = NULL;
	struct lines lines;

	(void)state;
	put("/file", "");
	assert_int_equal(store_open(under("/none"), lines_begin(&lines), &store), -ENOENT);
	assert_told("no folder", &lines, "/none: No such file or directory.");
	assert_int_equal(store_open(under("/file"), lines_begin(&lines), &store), -ENOTDIR);
	assert_told("a file", &lines, "/file is not a folder.");
	assert_null(store);
}

/* An empty folder is told of, and filled later. */
static void test_empty(void **state)
{
	struct lines lines;
	struct store *store = opened(&lines, true);

	(void)state;
	put_pair("s.jwk", "x.jwk");
	expect_soon(store, "s.jwk x.jwk");
	store_close(store);
	assert_told("an empty folder", &lines, "cotter-tang-keys generate");
}

static void *put_later(void *arg)
{
	(void)usleep(100 * 1000);
	put_pair("t", "y"); /* whole before they have the names of keys */
	move_file("t", "/t.jwk");
	move_file("y", "/y.jwk");
	return arg;
}

/* Opened in the midst of a rotation; and where no other pair comes, it is not waited for longer than one would be. */
static void test_open_rotating(void **state)
{
	struct lines lines;
	struct store *store;
	pthread_t thread;
	uint64_t begin;

	(void)state;
	put_pair(".s.jwk", ".x.jwk");
	begin = now_us();
	store = opened(&lines, false);
	assert_true(now_us() - begin < 2 * (uint64_t)USEC_PER_SEC);
	assert_true(holds(store, ".s.jwk .x.jwk"));
	assert_told("no pair", &lines, "holds no pair");
	store_close(store);

	assert_int_equal(pthread_create(&thread, NULL, put_later, NULL), 0);
	store = opened(&lines, false);
	{
		CLEANUP(keys_unrefp) struct keys *keys = store_keys(store);

		assert_true(keys_usable(keys));
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	store_close(store);
	assert_told("a pair", &lines, NULL);
}

static void test_changes(void **state)
{
	struct lines lines;
	struct store *store;

	(void)state;
	put_pair("s.jwk", "x.jwk");
	store = opened(&lines, true);
	put_key("y.jwk", "P-384", KEYRING_EXCHANGE);
	expect_soon(store, "s.jwk x.jwk y.jwk");
	move_file("x.jwk", "/.x.jwk");
	expect_soon(store, "s.jwk y.jwk .x.jwk");
	assert_int_equal(unlink(under("/.x.jwk")), 0);
	expect_soon(store, "s.jwk y.jwk");
	put_key("y.jwk", "P-521", KEYRING_EXCHANGE);
	put("/usage.json", "{}");
	expect_soon(store, "s.jwk y.jwk");
	store_close(store);
	assert_told("changes", &lines, NULL);
}

/* What was written in place is another key; its predecessor is gone after the doubt. */
static void test_replaced(void **state)
{
	CLEANUP(keys_unrefp) struct keys *before = NULL;
	struct lines lines;
	struct store *store;
	uint64_t begin;
	bool gone = false;

	(void)state;
	put_pair("s.jwk", "x.jwk");
	store = opened(&lines, true);
	before = store_keys(store);
	put_key("x.jwk", "P-521", KEYRING_EXCHANGE);
	for (begin = now_us(); !gone && now_us() - begin < 5 * (uint64_t)USEC_PER_SEC;) {
		CLEANUP(keys_unrefp) struct keys *keys = store_keys(store);

		assert_true(keys_usable(keys));
		gone = !keys_find(keys, key_name(keys_exchange_key(before)));
		(void)sched_yield();
	}
	assert_true(gone);
	assert_true(now_us() - begin < (uint64_t)SECOND_MS * USEC_PER_MSEC);
	store_close(store);
}

/* Another folder in the folder's place, as a restore or a mount makes it; none at all is an empty one. */
static void test_folder_replaced(void **state)
{
	struct lines lines;
	struct store *store = NULL;

	(void)state;
	put_pair("keys/s.jwk", "keys/x.jwk");
	put_pair("other/t.jwk", "other/y.jwk");
	assert_int_equal(store_open(under("/keys"), lines_begin(&lines), &store), 0);
	assert_int_equal(store_watch(store), 0);
	move_file("keys", "/before");
	move_file("other", "/keys");
	(void)wait_for(store, "t.jwk y.jwk");
	put_key("keys/z.jwk", "P-256", KEYRING_EXCHANGE);
	expect_soon(store, "t.jwk y.jwk z.jwk");
	move_file("keys", "/after");
	(void)wait_for(store, "");
	move_file("after", "/keys");
	(void)wait_for(store, "t.jwk y.jwk z.jwk");
	store_close(store);
	assert_told("the folder was gone", &lines, "holds no pair");
}

/* As Kubernetes swaps a set of secrets: the files are links through a link that is replaced. */
static void test_symlinks(void **state)
{
	struct lines lines;
	struct store *store;

	(void)state;
	put_pair("v1/s.jwk", "v1/x.jwk");
	put_pair("v2/s.jwk", "v2/x.jwk");
	assert_int_equal(symlink("v1", under("/..data")), 0);
	assert_int_equal(symlink("..data/s.jwk", under("/s.jwk")), 0);
	assert_int_equal(symlink("..data/x.jwk", under("/x.jwk")), 0);
	store = opened(&lines, true);
	{
		CLEANUP(keys_unrefp) struct keys *before = store_keys(store);
		struct key *old = keys_exchange_key(before);
		uint64_t begin = now_us();
		bool swapped = false;

		assert_int_equal(symlink("v2", under("/..new")), 0);
		move_file("..new", "/..data");
		while (!swapped) {
			CLEANUP(keys_unrefp) struct keys *keys = store_keys(store);

			assert_true(now_us() - begin < (uint64_t)SECOND_MS * USEC_PER_MSEC);
			swapped = !keys_find(keys, key_name(old));
		}
	}
	store_close(store);
}

struct asker {
	struct store *store;
	char thumbprint[KEY_THUMBPRINT_MAX + 1];
	unsigned stop;
	unsigned n;
	const char *failed;
};

/* A client that asks without end: the advertisement, and a key that is there from the beginning. */
static void *ask(void *arg)
{
	static const char request[] = EC_PUBLIC("P-256", A3_X, A3_Y);
	struct asker *asker = arg;

	while (!asker->failed && !__atomic_load_n(&asker->stop, __ATOMIC_RELAXED)) {
		CLEANUP(keys_unrefp) struct keys *keys = store_keys(asker->store);
		CLEANUP(buf_done) struct buf reply = {0};
		struct key *key;
		struct ref text;

		if (!keys_usable(keys))
			asker->failed = "no pair was advertised";
		else if (keys_advertisement(keys, NULL, &text) < 0)
			asker->failed = "no advertisement";
		else if (keys_recover(keys, asker->thumbprint, ref_str(request), &reply, &key) < 0)
			asker->failed = "no recovery";
		asker->n++;
	}
	return NULL;
}

/* In whatever order: the old pair first, as tangd-rotate-keys does, or the new one. */
static void rotate(unsigned i)
{
	char names[4][32];

	(void)snprintf(names[0], sizeof(names[0]), "s%u.jwk", i);
	(void)snprintf(names[1], sizeof(names[1]), "x%u.jwk", i);
	(void)snprintf(names[2], sizeof(names[2]), "s%u.jwk", i + 1);
	(void)snprintf(names[3], sizeof(names[3]), "x%u.jwk", i + 1);
	if (i % 2)
		put_pair(names[2], names[3]);
	for (int k = 0; k < 2; k++) {
		char hidden[160];

		(void)snprintf(hidden, sizeof(hidden), "/.%s", names[k]);
		move_file(names[k], hidden);
	}
	if (i % 2 == 0)
		put_pair(names[2], names[3]);
}

static void test_rotation(void **state)
{
	struct lines lines;
	struct asker askers[3] = {0};
	pthread_t threads[ARRAY_SIZE(askers)];
	struct store *store;
	uint64_t begin;
	unsigned i = 0;

	(void)state;
	put_pair("s0.jwk", "x0.jwk");
	store = opened(&lines, true);
	for (size_t k = 0; k < ARRAY_SIZE(askers); k++) {
		CLEANUP(keys_unrefp) struct keys *keys = store_keys(store);

		askers[k].store = store;
		(void)snprintf(askers[k].thumbprint, sizeof(askers[k].thumbprint), "%s",
			       key_name(keys_exchange_key(keys)));
		assert_int_equal(pthread_create(&threads[k], NULL, ask, &askers[k]), 0);
	}
	for (begin = now_us(); now_us() - begin < 2 * (uint64_t)USEC_PER_SEC; i++) {
		rotate(i);
		(void)usleep(3000);
	}
	for (size_t k = 0; k < ARRAY_SIZE(askers); k++) {
		__atomic_store_n(&askers[k].stop, 1, __ATOMIC_RELAXED);
		assert_int_equal(pthread_join(threads[k], NULL), 0);
		if (askers[k].failed)
			fail_msg("%s after %u rotations", askers[k].failed, i);
		assert_true(askers[k].n > 10);
	}
	store_close(store);
	assert_true(i > 20);
}

static void test_unusable(void **state)
{
	struct lines lines;
	struct store *store;
	uint64_t begin, ms;

	(void)state;
	put_pair("s.jwk", "x.jwk");
	store = opened(&lines, true);
	begin = now_us();
	move_file("x.jwk", "/.x.jwk");
	(void)wait_for(store, "s.jwk .x.jwk");
	ms = (now_us() - begin) / USEC_PER_MSEC;
	assert_true(ms >= 500 && ms < 1500);
	store_close(store);
	assert_told("no pair", &lines, "holds no pair");
}

/* The folder cannot be read any more, as its file system fails: what it held is served on. */
static void test_unreadable(void **state)
{
	struct lines lines;
	struct store *store;
	int fd;

	(void)state;
	put_pair("keys/s.jwk", "keys/x.jwk");
	assert_int_equal(store_open(under("/keys"), lines_begin(&lines), &store), 0);
	move_file("keys", "/moved");
	fd = open(under("/keys"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600); /* which is ENOTDIR */
	assert_true(fd >= 0);
	(void)close(fd);
	for (int i = 0; i < 3; i++)
		assert_true(store_reload(store) > 0);
	assert_true(holds(store, "s.jwk x.jwk"));
	assert_told("once", &lines, "cannot be read");
	store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh_root, remove_root)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_open),
		TEST(test_open_errors),
		TEST(test_empty),
		TEST(test_open_rotating),
		TEST(test_changes),
		TEST(test_replaced),
		TEST(test_folder_replaced),
		TEST(test_symlinks),
		TEST(test_rotation),
		TEST(test_unusable),
		TEST(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
