/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The record of recoveries as a file. */
#include "tang/server/usage.h"

#include "tests/unit/root.h"

#define THP1 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA"
#define THP2 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbA"

static struct usage_key one(const char *thumbprint, uint64_t n, uint64_t last)
{
	struct usage_key key = {.recoveries = n, .last = last, .since_start = n};

	memcpy(key.thumbprint, thumbprint, sizeof(key.thumbprint));
	return key;
}

static void test_add_and_find(void **state)
{
	CLEANUP(usage_done) struct usage usage = {0};
	struct usage_key a = one(THP1, 2, 50), more = one(THP1, 3, 40), b = one(THP2, 1, 60);
	const struct usage_key *found;

	(void)state;
	assert_int_equal(usage_new(10, &usage), 0);
	assert_int_equal(usage_add(&usage, &a), 0);
	assert_int_equal(usage_add(&usage, &b), 0);
	assert_int_equal(usage_add(&usage, &more), 0);
	assert_int_equal(usage.n, 2);
	found = usage_find(&usage, THP1);
	assert_int_equal(found->recoveries, 5);
	assert_int_equal(found->since_start, 5);
	assert_int_equal(found->last, 50);
	assert_null(usage_find(&usage, "x"));
}

static void test_file(void **state)
{
	CLEANUP(usage_done) struct usage usage = {0}, got = {0};
	struct usage_key a = one(THP1, 1ULL << 40, 1700000000);

	(void)state;
	assert_int_equal(usage_new(10, &usage), 0);
	usage.started = 20;
	a.since_start = 7;
	assert_int_equal(usage_add(&usage, &a), 0);
	assert_int_equal(usage_save(&usage, under("/usage")), 0);
	assert_int_equal(usage_load(under("/usage"), &got), 0);
	assert_int_equal(got.since, 10);
	assert_int_equal(got.started, 20);
	assert_int_equal(got.n, 1);
	assert_memory_equal(&got.keys[0], &a, sizeof(a));
}

/* The text that others may read. */
static void test_text(void **state)
{
	CLEANUP(usage_done) struct usage usage = {0};
	struct usage_key a = one(THP1, 3, 30);
	char text[256] = "";
	FILE *f;

	(void)state;
	assert_int_equal(usage_new(10, &usage), 0);
	assert_int_equal(usage_add(&usage, &a), 0);
	assert_int_equal(usage_save(&usage, under("/usage")), 0);
	f = fopen(under("/usage"), "re");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	(void)fclose(f);
	assert_string_equal(text, "{\"keys\":{\"" THP1
				  "\":{\"last\":30,\"recoveries\":3,\"recoveries_since_start\":3}},"
				  "\"since\":10,\"started\":10}");
}

static void test_full(void **state)
{
	CLEANUP(usage_done) struct usage usage = {0}, got = {0};
	struct usage_key key = one(THP1, UINT32_MAX, 1ULL << 40);

	(void)state;
	assert_int_equal(usage_new(10, &usage), 0);
	for (int i = 0; i < USAGE_KEYS_MAX; i++) {
		(void)snprintf(key.thumbprint, sizeof(key.thumbprint), "%043d", i);
		assert_int_equal(usage_add(&usage, &key), 0);
	}
	assert_int_equal(usage_add(&usage, &key), 0);
	memcpy(key.thumbprint, THP2, sizeof(key.thumbprint));
	assert_int_equal(usage_add(&usage, &key), -E2BIG);
	/* As full as it can be, it can be read again. */
	assert_int_equal(usage_save(&usage, under("/usage")), 0);
	assert_int_equal(usage_load(under("/usage"), &got), 0);
	assert_int_equal(got.n, USAGE_KEYS_MAX);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"{\"since\":1,\"started\":2}",
		"{\"since\":1,\"started\":2,\"keys\":[]}",
		"{\"since\":-1,\"started\":2,\"keys\":{}}",
		"{\"since\":\"1\",\"started\":2,\"keys\":{}}",
		"{\"since\":1,\"started\":2.5,\"keys\":{}}",
		"{\"since\":1,\"started\":2,\"keys\":{\"x\":{\"recoveries\":1,\"last\":1,"
		"\"recoveries_since_start\":1}}}",
		"{\"since\":1,\"started\":2,\"keys\":{\"" THP1 "\":{\"recoveries\":1,"
		"\"recoveries_since_start\":1}}}",
		"{\"since\":1,\"started\":2,\"keys\":{\"" THP1 "\":1}}",
		"{\"since\":1,\"started\":2,\"keys\":{}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct usage got;

		memset(&got, UNTOUCHED, sizeof(got));
		put("/bad", bad[i]);
		expect(bad[i], usage_load(under("/bad"), &got), -EBADMSG);
		assert_untouched(bad[i], &got, sizeof(got));
	}
	{
		struct usage got = {0};

		assert_int_equal(usage_load(under("/none"), &got), -ENOENT);
		assert_int_equal(usage_load(root, &got), -EISDIR);
		assert_int_equal(usage_save(&got, under("/none/usage")), -ENOENT);
	}
}

static int begin(void **state)
{
	(void)state;
	return root_begin();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_and_find), cmocka_unit_test(test_file),
		cmocka_unit_test(test_text),         cmocka_unit_test(test_full),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, begin, remove_root);
}
