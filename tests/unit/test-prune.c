/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which rotated keys can go. */
#include "tang/server/prune.h"

#include "tests/unit/tang-folder.h"

#include <fcntl.h>

enum { NOW = 1000000000, DAY = 24 * 60 * 60, BEFORE = NOW - 30 * DAY };

static struct keyring ring;

static int begin(void **state)
{
	ring = (struct keyring){.folder = -1};
	return fresh_root(state);
}

static int end(void **state)
{
	keyring_done(&ring);
	return remove_root(state);
}

/* Made so many days ago. */
static void put_old(const char *name, enum keyring_use use, int days)
{
	struct timespec times[2] = {{.tv_sec = NOW - days * DAY}, {.tv_sec = NOW - days * DAY}};
	char path[64];

	put_key(name, "P-256", use);
	(void)snprintf(path, sizeof(path), "/%s", name);
	assert_int_equal(utimensat(AT_FDCWD, under(path), times, 0), 0);
}

static const char *thumbprint_of(const char *name)
{
	for (size_t i = 0; i < ring.n; i++)
		if (strcmp(ring.files[i].name, name) == 0)
			return key_name(ring.files[i].key);
	fail_msg("there is no %s", name);
	return NULL;
}

static void add_use(struct usage *usage, const char *name, uint64_t last)
{
	struct usage_key key = {.recoveries = 1, .last = last};

	(void)snprintf(key.thumbprint, sizeof(key.thumbprint), "%s", thumbprint_of(name));
	assert_int_equal(usage_add(usage, &key), 0);
}

static void expect_verdict(const struct usage *usage, const char *name, enum prune_verdict want)
{
	enum prune_verdict verdicts[16];

	prune_decide(&ring, usage, BEFORE, NOW, verdicts);
	for (size_t i = 0; i < ring.n; i++)
		if (strcmp(ring.files[i].name, name) == 0)
			expect(name, (int)verdicts[i], (int)want);
}

static void open_ring(void)
{
	assert_int_equal(keyring_open(root, KEYRING_READ, NULL, &ring), 0);
}

static void test_exchange(void **state)
{
	CLEANUP(usage_done) struct usage usage = {0};

	(void)state;
	put_old("x.jwk", KEYRING_EXCHANGE, 1);
	put_old(".used.jwk", KEYRING_EXCHANGE, 100);
	put_old(".once.jwk", KEYRING_EXCHANGE, 100);
	put_old(".never.jwk", KEYRING_EXCHANGE, 100);
	open_ring();
	expect_verdict(NULL, ".never.jwk", PRUNE_NO_RECORD);
	expect_verdict(NULL, "x.jwk", PRUNE_ADVERTISED);

	assert_int_equal(usage_new(BEFORE, &usage), 0);
	add_use(&usage, ".used.jwk", BEFORE);
	add_use(&usage, ".once.jwk", BEFORE - 1);
	expect_verdict(&usage, "x.jwk", PRUNE_ADVERTISED);
	expect_verdict(&usage, ".used.jwk", PRUNE_USED);
	expect_verdict(&usage, ".once.jwk", PRUNE_UNUSED);
	expect_verdict(&usage, ".never.jwk", PRUNE_UNUSED);

	usage.since = BEFORE + 1;
	expect_verdict(&usage, ".used.jwk", PRUNE_USED);
	expect_verdict(&usage, ".never.jwk", PRUNE_SHORT_RECORD);
	usage.since = NOW + 1;
	expect_verdict(&usage, ".never.jwk", PRUNE_SHORT_RECORD);
}

/* A key signs for those who are bound to what was advertised with it. */
static void test_signing(void **state)
{
	CLEANUP(usage_done) struct usage usage = {0};

	(void)state;
	put_old("s.jwk", KEYRING_SIGNING, 1);
	put_old("x.jwk", KEYRING_EXCHANGE, 1);
	put_old(".s2.jwk", KEYRING_SIGNING, 50);
	put_old(".x2.jwk", KEYRING_EXCHANGE, 50);
	put_old(".s1.jwk", KEYRING_SIGNING, 100);
	put_old(".x1.jwk", KEYRING_EXCHANGE, 100);
	open_ring();
	assert_int_equal(usage_new(BEFORE, &usage), 0);

	add_use(&usage, ".x2.jwk", NOW - 1); /* the first pair can go, the second not */
	expect_verdict(&usage, ".x1.jwk", PRUNE_UNUSED);
	expect_verdict(&usage, ".s1.jwk", PRUNE_UNUSED);
	expect_verdict(&usage, ".x2.jwk", PRUNE_USED);
	expect_verdict(&usage, ".s2.jwk", PRUNE_VOUCHES);

	add_use(&usage, ".x1.jwk", NOW - 1);
	expect_verdict(&usage, ".s1.jwk", PRUNE_VOUCHES);
	expect_verdict(NULL, ".s1.jwk", PRUNE_VOUCHES);
}

/* An older exchange key that is still advertised: its clients may know the server by the hidden one alone. */
static void test_signing_alone(void **state)
{
	(void)state;
	put_old("s.jwk", KEYRING_SIGNING, 1);
	put_old("x.jwk", KEYRING_EXCHANGE, 100);
	put_old(".s1.jwk", KEYRING_SIGNING, 100);
	open_ring();
	expect_verdict(NULL, ".s1.jwk", PRUNE_VOUCHES);
}

static void save(const char *path, uint64_t since, const char *name, uint64_t last)
{
	CLEANUP(usage_done) struct usage usage = {0};

	assert_int_equal(usage_new(since, &usage), 0);
	add_use(&usage, name, last);
	assert_int_equal(usage_save(&usage, under(path)), 0);
}

/* Of two servers with the same keys. */
static void test_records(void **state)
{
	CLEANUP(usage_done) struct usage usage = {0};

	(void)state;
	put_old(".x.jwk", KEYRING_EXCHANGE, 100);
	open_ring();
	save("/a", BEFORE - 100, ".x.jwk", BEFORE - 50);
	save("/b", BEFORE - 10, ".x.jwk", BEFORE - 80);
	assert_int_equal(prune_add_record(under("/a"), &usage), 0);
	assert_int_equal(prune_add_record(under("/b"), &usage), 0);
	assert_int_equal(usage.since, BEFORE - 10);
	assert_int_equal(usage_find(&usage, thumbprint_of(".x.jwk"))->last, BEFORE - 50);
	assert_int_equal(usage_find(&usage, thumbprint_of(".x.jwk"))->recoveries, 2);
	expect_verdict(&usage, ".x.jwk", PRUNE_UNUSED);
	save("/c", BEFORE + 10, ".x.jwk", BEFORE - 80);
	assert_int_equal(prune_add_record(under("/c"), &usage), 0);
	expect_verdict(&usage, ".x.jwk", PRUNE_SHORT_RECORD);
	assert_int_equal(prune_add_record(under("/none"), &usage), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_exchange),
		TEST(test_signing),
		TEST(test_signing_alone),
		TEST(test_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
