/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeping the record while keys recover, come and go. */
#include "tang/server/usage-writer.h"

#include "tang/server/usage.h"
#include "tests/unit/tang-folder.h"

#include <pthread.h>

static struct store *store;
static struct lines lines;

static int begin(void **state)
{
	if (fresh_root(state) < 0)
		return -1;
	put_pair("s.jwk", "x.jwk");
	return store_open(root, lines_begin(&lines), &store);
}

static int end(void **state)
{
	store_close(store);
	return remove_root(state);
}

static struct usage_writer *started(void)
{
	struct usage_writer *writer = NULL;

	assert_int_equal(usage_writer_start(under("/usage.json"), store, &lines.log, &writer), 0);
	return writer;
}

static struct usage loaded(void)
{
	struct usage usage = {0};

	assert_int_equal(usage_load(under("/usage.json"), &usage), 0);
	return usage;
}

static struct usage_key record_of(const char *name)
{
	CLEANUP(usage_done) struct usage usage = loaded();
	const struct usage_key *found = usage_find(&usage, name);

	return found ? *found : (struct usage_key){0};
}

/* The record begins with the first start, and goes on over the others. */
static void test_restarts(void **state)
{
	CLEANUP(keys_unrefp) struct keys *keys = store_keys(store);
	struct key *key = keys_exchange_key(keys);
	uint64_t now = (uint64_t)time(NULL), since;

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		struct usage_writer *writer = started();
		struct usage_key record;
		struct usage usage = loaded();

		if (i == 1)
			since = usage.since;
		assert_int_equal(usage.since, since);
		assert_true(usage.started >= now && usage.started <= now + 60);
		usage_done(&usage);

		for (unsigned n = 0; n < i; n++)
			key_count(key);
		usage_writer_stop(writer);
		record = record_of(key_name(key));
		assert_int_equal(record.recoveries, i * (i + 1) / 2);
		assert_int_equal(record.since_start, i);
		assert_true(record.last >= now && record.last <= now + 60);
	}
	assert_told("a good record", &lines, NULL);
}

/* Without being asked, within about a second. */
static void test_written_meanwhile(void **state)
{
	CLEANUP(keys_unrefp) struct keys *keys = store_keys(store);
	struct key *key = keys_exchange_key(keys);
	struct usage_writer *writer = started();
	uint64_t before = now_us();

	(void)state;
	key_count(key);
	while (record_of(key_name(key)).recoveries == 0) {
		assert_true(now_us() - before < 5 * (uint64_t)USEC_PER_SEC);
		(void)usleep(1000);
	}
	usage_writer_stop(writer);
}

static void *count_many(void *arg)
{
	for (int i = 0; i < 50000; i++)
		key_count(arg);
	return NULL;
}

/* None is lost, and none counted twice, with threads that count while it is written. */
static void test_threads(void **state)
{
	CLEANUP(keys_unrefp) struct keys *keys = store_keys(store);
	struct key *key = keys_exchange_key(keys);
	struct usage_writer *writer = started();
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_many, key), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	usage_writer_stop(writer);
	assert_int_equal(record_of(key_name(key)).recoveries, 200000);
}

static bool holds(const char *name)
{
	CLEANUP(keys_unrefp) struct keys *now = store_keys(store);

	return keys_find(now, name) != NULL;
}

/* A key that goes while a request holds it is counted all the same. */
static void test_gone(void **state)
{
	CLEANUP(keys_unrefp) struct keys *keys = store_keys(store);
	struct key *key = keys_exchange_key(keys);
	struct usage_writer *writer = started();

	(void)state;
	put_pair("t.jwk", "y.jwk");
	assert_int_equal(unlink(under("/x.jwk")), 0);
	while (holds(key_name(key)))
		(void)store_reload(store);
	key_count(key);
	usage_writer_stop(writer);
	assert_int_equal(record_of(key_name(key)).recoveries, 1);
}

static void test_bad_record(void **state)
{
	struct usage_writer *writer;
	struct usage usage;
	uint64_t now = (uint64_t)time(NULL);

	(void)state;
	put("/usage.json", "{\"since\":1");
	writer = started();
	usage_writer_stop(writer);
	assert_told("a bad record", &lines, "a new one begins now");
	usage = loaded();
	assert_true(usage.since >= now);
	usage_done(&usage);
}

/* What cannot be written is said when the server starts, where somebody looks. */
static void test_unwritable(void **state)
{
	struct usage_writer *writer = NULL;

	(void)state;
	assert_int_equal(usage_writer_start(under("/none/usage.json"), store, &lines.log, &writer),
			 -ENOENT);
	assert_null(writer);
	assert_told("no folder", &lines, "cannot be written: No such file");
}

/* And once where that fails later. */
static void test_unwritable_later(void **state)
{
	CLEANUP(keys_unrefp) struct keys *keys = store_keys(store);
	struct usage_writer *writer = NULL;

	(void)state;
	assert_int_equal(mkdir(under("/records"), 0700), 0);
	assert_int_equal(usage_writer_start(under("/records/u.json"), store, &lines.log, &writer),
			 0);
	move_file("records", "/moved");
	key_count(keys_exchange_key(keys));
	usage_writer_stop(writer);
	assert_told("no folder any more", &lines, "cannot be written");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_restarts),         TEST(test_written_meanwhile),
		TEST(test_threads),          TEST(test_gone),
		TEST(test_bad_record),       TEST(test_unwritable),
		TEST(test_unwritable_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
