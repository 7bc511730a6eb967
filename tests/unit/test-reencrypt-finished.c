/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The metadata of a re-encryption at its end, and what is near it. */
#include "enroll/reencrypt-finished.h"

#include "tests/unit/ref.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Keyslot 0 had the old key, 1 has the new one, 2 is libcryptsetup's, 3 holds something else. */
static const char written[] =
	"{\"keyslots\":{\"0\":{\"type\":\"luks2\"},\"1\":{\"type\":\"luks2\"},"
	"\"2\":{\"type\":\"reencrypt\"},\"3\":{\"type\":\"luks2\"}},"
	"\"tokens\":{\"7\":{\"type\":\"b\",\"keyslots\":[\"0\",\"1\"]},"
	"\"1\":{\"type\":\"a\",\"keyslots\":[\"0\"]},\"2\":{\"type\":\"c\",\"keyslots\":[\"3\"]}},"
	"\"segments\":{\"0\":{\"type\":\"crypt\",\"offset\":\"1\",\"size\":\"dynamic\"},"
	"\"1\":{\"type\":\"crypt\",\"offset\":\"1\",\"size\":\"dynamic\",\"flags\":[\"backup-previous\"]},"
	"\"2\":{\"type\":\"crypt\",\"offset\":\"1\",\"size\":\"dynamic\",\"flags\":[\"backup-final\"]}},"
	"\"digests\":{\"0\":{\"keyslots\":[\"0\"],\"segments\":[\"1\"]},"
	"\"1\":{\"keyslots\":[\"1\"],\"segments\":[\"0\",\"2\"]},"
	"\"2\":{\"keyslots\":[\"2\"],\"segments\":[]},\"3\":{\"keyslots\":[\"3\"],\"segments\":[]}},"
	"\"config\":{\"json_size\":\"12288\",\"requirements\":{\"mandatory\":[\"online-reencrypt-v2\"]}}}";

static const char over[] =
	"{\"keyslots\":{\"1\":{\"type\":\"luks2\"},\"3\":{\"type\":\"luks2\"}},"
	"\"tokens\":{\"7\":{\"type\":\"b\",\"keyslots\":[\"1\"]},\"1\":{\"type\":\"a\",\"keyslots\":[]},"
	"\"2\":{\"type\":\"c\",\"keyslots\":[\"3\"]}},"
	"\"segments\":{\"0\":{\"type\":\"crypt\",\"offset\":\"1\",\"size\":\"dynamic\"}},"
	"\"digests\":{\"1\":{\"keyslots\":[\"1\"],\"segments\":[\"0\"]},"
	"\"3\":{\"keyslots\":[\"3\"],\"segments\":[]}},\"config\":{\"json_size\":\"12288\"}}";

static json_t *load(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

/* The order, which is that in which tokens are tried, stays too. */
static void test_make(void **state)
{
	json_t *header = load(written);
	char *text;

	(void)state;
	assert_true(finished_is(header));
	assert_int_equal(finished_make(header), 0);
	text = json_dumps(header, JSON_COMPACT);
	assert_string_equal(text, over);
	free(text);

	assert_false(finished_is(header));
	assert_int_equal(finished_make(header), -EBADMSG);
	json_decref(header);
}

static void test_other_requirement(void **state)
{
	json_t *header = load(written), *config = json_object_get(header, "config");
	json_t *mandatory = json_object_get(json_object_get(config, "requirements"), "mandatory");

	(void)state;
	assert_int_equal(json_array_append_new(mandatory, json_string("future")), 0);
	assert_int_equal(finished_make(header), 0);
	assert_int_equal(json_array_size(mandatory), 1);
	assert_string_equal(json_string_value(json_array_get(mandatory, 0)), "future");
	json_decref(header);
}

/* Each with one place replaced by another text. */
static void test_not_written(void **state)
{
	static const struct {
		const char *from, *to;
	} changes[] = {
		/* the data have the old key: nothing is done yet */
		{"[\"1\"]},\"1\":{\"keyslots\":[\"1\"],\"segments\":[\"0\",\"2\"]}",
		 "[\"0\",\"1\"]},\"1\":{\"keyslots\":[\"1\"],\"segments\":[\"2\"]}"},
		/* both keys' digests are one */
		{"\"segments\":[\"1\"]},\"1\":{\"keyslots\":[\"1\"],\"segments\":[\"0\",\"2\"]}",
		 "\"segments\":[]},\"1\":{\"keyslots\":[\"1\"],\"segments\":[\"0\",\"1\",\"2\"]}"},
		/* nothing is being re-encrypted */
		{"\"online-reencrypt-v2\"", "\"other\""},
		{"backup-previous", "other"},
		{"backup-final", "other"},
		/* the data are in two parts */
		{"\"segments\":{", "\"segments\":{\"9\":{\"type\":\"crypt\"},"},
		/* and are not what they are to be in the end */
		{"\"offset\":\"1\"", "\"offset\":\"2\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		const char *at = strstr(written, changes[i].from);
		char text[sizeof(written) + 100];
		json_t *header;

		assert_non_null(at);
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - written), written,
			       changes[i].to, at + strlen(changes[i].from));
		header = load(text);
		assert_false(finished_is(header));
		assert_int_equal(finished_make(header), -EBADMSG);
		json_decref(header);
	}
}

static void test_nonsense(void **state)
{
	static const char *const texts[] = {"{}", "{\"segments\":[]}", "{\"segments\":{\"0\":1}}",
					    "{\"config\":{\"requirements\":1},\"digests\":1}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		json_t *header = load(texts[i]);

		assert_false(finished_is(header));
		json_decref(header);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_other_requirement),
		cmocka_unit_test(test_not_written),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
