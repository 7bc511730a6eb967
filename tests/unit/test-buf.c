/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers: limits, unchanged on error, wiped before they are freed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* buf.c is compiled in here, so that each block can be looked at just before it is freed. */
static void watched_free(void *block);
#define free watched_free
#include "crypto/buf.c"
#undef free

static size_t watched_size, n_freed;

static void watched_free(void *block)
{
	const uint8_t *bytes = block;

	for (size_t i = 0; i < watched_size; i++)
		assert_int_equal(bytes[i], 0);
	n_freed++;
	free(block);
}

static int reset(void **state)
{
	(void)state;
	watched_size = n_freed = 0;
	return 0;
}

static void test_init(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(buf_init(&b, 3), 0);
	assert_non_null(b.p);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.cap, 3);
	buf_done(&b);

	assert_int_equal(buf_init(&b, 0), 0);
	assert_non_null(b.p);
	assert_int_equal(b.n, 0);
	assert_int_equal(buf_append(&b, "x", 1), -E2BIG);
	buf_done(&b);
}

static void test_copy(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(buf_copy(&b, ref_str("text")), 0);
	assert_int_equal(b.n, 4);
	assert_memory_equal(b.p, "text", 4);
	buf_done(&b);

	assert_int_equal(buf_copy(&b, (struct ref){0}), 0);
	assert_non_null(b.p);
	assert_int_equal(b.n, 0);
	buf_done(&b);
}

static void test_append_up_to_the_limit(void **state)
{
	volatile size_t overflowing = SIZE_MAX; /* compilers need not warn of what is tested */
	struct buf b = {0};

	(void)state;
	assert_int_equal(buf_init(&b, 6), 0);
	assert_int_equal(buf_append(&b, "ab", 2), 0);
	assert_int_equal(buf_append(&b, NULL, 0), 0);
	assert_int_equal(buf_append_str(&b, "cd"), 0);

	assert_int_equal(buf_append(&b, "efg", 3), -E2BIG);
	assert_int_equal(buf_append_str(&b, "efg"), -E2BIG);
	assert_int_equal(buf_append(&b, "", overflowing), -E2BIG);
	assert_int_equal(b.n, 4);
	assert_memory_equal(b.p, "abcd", 4);

	assert_int_equal(buf_append_str(&b, "ef"), 0);
	assert_int_equal(buf_append(&b, "g", 1), -E2BIG);
	assert_int_equal(buf_append_str(&b, ""), 0);
	assert_int_equal(b.n, 6);
	assert_memory_equal(b.p, "abcdef", 6);
	buf_done(&b);
}

static void test_append_to_a_zeroed_struct(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(buf_append(&b, "", 0), 0);
	assert_int_equal(buf_append(&b, "x", 1), -E2BIG);
	assert_null(b.p);
}

static void test_done_wipes_all_of_it(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(buf_init(&b, 64), 0);
	memset(b.p, 0xa5, 64); /* also what no longer counts as used */
	b.n = 8;
	watched_size = 64;
	buf_done(&b);
	assert_int_equal(n_freed, 1);
	assert_null(b.p);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.cap, 0);

	buf_done(&b);
	assert_int_equal(n_freed, 1);
	assert_int_equal(buf_init(&b, 64), 0); /* can be used again */
	memset(b.p, 0, 64);
	buf_done(&b);
	assert_int_equal(n_freed, 2);
}

static void test_cleanup_attribute_and_handing_over(void **state)
{
	struct buf out = {0};

	(void)state;
	{
		CLEANUP(buf_done) struct buf b = {0};

		assert_int_equal(buf_copy(&b, ref_str("kept")), 0);
		out = TAKE_STRUCT(b);
		assert_null(b.p);
	}
	assert_int_equal(n_freed, 0);
	assert_memory_equal(out.p, "kept", 4);

	{
		CLEANUP(buf_done) struct buf b = TAKE_STRUCT(out);

		watched_size = b.cap;
	}
	assert_int_equal(n_freed, 1);
}

static void test_write(void **state)
{
	char got[8] = "";
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(ref_write(ref_str("abc"), pipes[1]), 0);
	assert_int_equal(ref_write(ref_str(""), pipes[1]), 0);
	assert_int_equal(ref_write(ref_str("de"), pipes[1]), 0);
	assert_int_equal(read(pipes[0], got, sizeof(got)), 5);
	assert_string_equal(got, "abcde");
	assert_int_equal(ref_write(ref_str("x"), pipes[0]), -EBADF);
	assert_int_equal(close(pipes[0]), 0);
	assert_int_equal(close(pipes[1]), 0);
}

static void test_words(void **state)
{
	static const struct {
		const char *text, *word;
		bool begins, is;
	} cases[] = {
		{"abc", "abc", true, true},  {"abc", "ab", true, false},
		{"ab", "abc", false, false}, {"abc", "abd", false, false},
		{"", "a", false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(ref_begins(ref_str(cases[i].text), cases[i].word),
				 cases[i].begins);
		assert_int_equal(ref_is(ref_str(cases[i].text), cases[i].word), cases[i].is);
	}
	assert_false(ref_is((struct ref){0}, "a"));
}

static void test_ref_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{"", "", true},       {"a", "a", true},           {"a", "b", false},
		{"a", "", false},     {"abc", "abd", false},      {"abc", "bbc", false},
		{"ab", "abc", false}, {"abcdef", "abcdef", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(ref_equal(ref_str(cases[i].a), ref_str(cases[i].b)),
				 cases[i].equal);
		assert_int_equal(ref_equal(ref_str(cases[i].b), ref_str(cases[i].a)),
				 cases[i].equal);
	}
	assert_true(ref_equal((struct ref){0}, (struct ref){0}));
	assert_true(ref_equal((struct ref){0}, ref_str("")));
	assert_false(ref_equal((struct ref){0}, ref_str("a")));
	assert_true(ref_equal((struct ref){(const uint8_t *)"a\0b", 3},
			      (struct ref){(const uint8_t *)"a\0b", 3}));
	assert_false(ref_equal((struct ref){(const uint8_t *)"a\0b", 3},
			       (struct ref){(const uint8_t *)"a\0c", 3}));
}

/* Over several reads, to the end or until it is full. */
static void test_read(void **state)
{
	static const struct {
		size_t cap, n;
	} cases[] = {{6, 6}, {4, 4}, {9, 6}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf b = {0};
		int pipes[2];

		assert_int_equal(pipe(pipes), 0);
		assert_int_equal(write(pipes[1], "bcdef", 5), 5);
		assert_int_equal(close(pipes[1]), 0);
		assert_int_equal(buf_init(&b, cases[i].cap), 0);
		assert_int_equal(buf_append(&b, "a", 1), 0);
		assert_int_equal(buf_read(&b, pipes[0]), 0);
		assert_int_equal(b.n, cases[i].n);
		assert_memory_equal(b.p, "abcdef", b.n);
		assert_int_equal(close(pipes[0]), 0);
		if (b.n < b.cap)
			assert_int_equal(buf_read(&b, pipes[0]), -EBADF);
		assert_int_equal(b.n, cases[i].n);
		buf_done(&b);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_init, reset),
		cmocka_unit_test_setup(test_copy, reset),
		cmocka_unit_test_setup(test_read, reset),
		cmocka_unit_test_setup(test_append_up_to_the_limit, reset),
		cmocka_unit_test_setup(test_append_to_a_zeroed_struct, reset),
		cmocka_unit_test_setup(test_done_wipes_all_of_it, reset),
		cmocka_unit_test_setup(test_cleanup_attribute_and_handing_over, reset),
		cmocka_unit_test_setup(test_write, reset),
		cmocka_unit_test_setup(test_words, reset),
		cmocka_unit_test_setup(test_ref_equal, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
