/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a renewal's output becomes in the journal. */
#include "units/renewed.h"

#include "tests/unit/lines.h"

/* The entries one after the other, the fields of each with spaces, and a newline behind it. */
struct entries {
	char text[4096];
	size_t n, fail_at;
};

static int keep(void *arg, const struct renewed *renewed)
{
	CLEANUP(renewed_fields_done) struct renewed_fields fields = {0};
	struct entries *entries = arg;

	if (++entries->n == entries->fail_at)
		return -EIO;
	assert_int_equal(renewed_fields(renewed, &fields), 0);
	for (size_t i = 0; i < fields.n; i++) {
		size_t used = strlen(entries->text);

		(void)snprintf(entries->text + used, sizeof(entries->text) - used, "%s%s",
			       fields.fields[i], i + 1 < fields.n ? " " : "\n");
	}
	return 0;
}

static int read_output(const char *text, struct entries *entries)
{
	CLEANUP_JSON json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(json);
	return renewed_each(json, keep, entries);
}

static void expect_entries(const char *output, const char *want)
{
	struct entries entries = {0};

	assert_int_equal(read_output(output, &entries), 0);
	assert_string_equal(entries.text, want);
}

#define RENEWED  "MESSAGE_ID=4dc36c3fe8e9b08ead576e6852c19106 PRIORITY=5"
#define NOT_DUE  "MESSAGE_ID=d376483150e79fe19f0a1d08007b9665 PRIORITY=6"
#define KEPT     "MESSAGE_ID=97fcce63ca5ec085c067ed82196bc727 PRIORITY=4"
#define FAILED   "MESSAGE_ID=97fcce63ca5ec085c067ed82196bc727 PRIORITY=3"
#define TOKEN(s) "{\"device\":\"/d\",\"result\":\"ok\",\"tokens\":[{\"token\":1," s "}]}"

static void test_tokens(void **state)
{
	(void)state;
	expect_entries(TOKEN("\"keyslot\":2,\"state\":\"renewed\""),
		       "MESSAGE=token 1 of /d was renewed " RENEWED
		       " COTTER_DEVICE=/d COTTER_TOKEN=1 COTTER_KEYSLOT=2 COTTER_RESULT=renewed\n");
	expect_entries(TOKEN("\"keyslot\":2,\"state\":\"not-due\""),
		       "MESSAGE=token 1 of /d need not be renewed " NOT_DUE
		       " COTTER_DEVICE=/d COTTER_TOKEN=1 COTTER_KEYSLOT=2 COTTER_RESULT=not-due\n");
	expect_entries(TOKEN("\"keyslot\":2,\"state\":\"kept\",\"cause\":\"why\""),
		       "MESSAGE=token 1 of /d was kept as it is: why " KEPT
		       " COTTER_DEVICE=/d COTTER_TOKEN=1 COTTER_KEYSLOT=2 COTTER_CAUSE=why "
		       "COTTER_RESULT=kept\n");
	expect_entries(TOKEN("\"state\":\"failed\",\"cause\":\"why\""),
		       "MESSAGE=token 1 of /d could not be renewed: why " FAILED
		       " COTTER_DEVICE=/d COTTER_TOKEN=1 COTTER_CAUSE=why COTTER_RESULT=failed\n");
	/* What is not known is no success. */
	expect_entries(TOKEN("\"state\":\"new\""),
		       "MESSAGE=token 1 of /d could not be renewed " FAILED
		       " COTTER_DEVICE=/d COTTER_TOKEN=1 COTTER_RESULT=failed\n");
	expect_entries(TOKEN("\"keyslot\":99"),
		       "MESSAGE=token 1 of /d could not be renewed " FAILED
		       " COTTER_DEVICE=/d COTTER_TOKEN=1 COTTER_RESULT=failed\n");
}

static void test_parts(void **state)
{
	(void)state;
	expect_entries(
		TOKEN("\"keyslot\":2,\"state\":\"renewed\",\"leaves\":["
		      "{\"pin\":\"tang\",\"where\":\"http://a\",\"state\":\"changed\",\"cause\":\"new keys\"},"
		      "{\"pin\":\"tang\",\"where\":\"http://b\",\"state\":\"unreachable\",\"cause\":\"refused\"},"
		      "{\"pin\":\"tpm2\",\"cause\":\"locked\"},{\"cause\":\"nameless\"}]"),
		"MESSAGE=token 1 of /d was renewed " RENEWED
		" COTTER_DEVICE=/d COTTER_TOKEN=1 COTTER_KEYSLOT=2 COTTER_RESULT=renewed\n"
		"MESSAGE=token 1 of /d: http://b was kept as it is: refused " KEPT
		" COTTER_DEVICE=/d COTTER_TOKEN=1 COTTER_KEYSLOT=2 COTTER_LEAF=http://b "
		"COTTER_CAUSE=refused COTTER_RESULT=kept\n"
		"MESSAGE=token 1 of /d: tpm2 was kept as it is: locked " KEPT
		" COTTER_DEVICE=/d COTTER_TOKEN=1 COTTER_KEYSLOT=2 COTTER_LEAF=tpm2 "
		"COTTER_CAUSE=locked COTTER_RESULT=kept\n");
	expect_entries(TOKEN("\"state\":\"failed\",\"leaves\":[{\"where\":\"a\",\"cause\":\"b\"}]"),
		       "MESSAGE=token 1 of /d could not be renewed " FAILED
		       " COTTER_DEVICE=/d COTTER_TOKEN=1 COTTER_RESULT=failed\n"
		       "MESSAGE=token 1 of /d: a could not be renewed: b " FAILED
		       " COTTER_DEVICE=/d COTTER_TOKEN=1 COTTER_LEAF=a COTTER_CAUSE=b "
		       "COTTER_RESULT=failed\n");
}

/* An error is told once: of a token, where one has it. */
static void test_volumes(void **state)
{
	(void)state;
	expect_entries("[]", "");
	expect_entries("[{\"device\":\"/a\",\"result\":\"ok\",\"tokens\":[]},"
		       "{\"device\":\"/b\",\"result\":\"failed\",\"errors\":[\"no\",\"none\"]},"
		       "{\"device\":\"/c\",\"result\":\"failed\",\"errors\":[\"no\"],\"tokens\":["
		       "{\"token\":0,\"state\":\"kept\",\"cause\":\"no\"}]},"
		       "{\"device\":\"/d\",\"result\":\"failed\",\"tokens\":[]}]",
		       "MESSAGE=/b could not be renewed: no " FAILED
		       " COTTER_DEVICE=/b COTTER_CAUSE=no COTTER_RESULT=failed\n"
		       "MESSAGE=/b could not be renewed: none " FAILED
		       " COTTER_DEVICE=/b COTTER_CAUSE=none COTTER_RESULT=failed\n"
		       "MESSAGE=token 0 of /c was kept as it is: no " KEPT
		       " COTTER_DEVICE=/c COTTER_TOKEN=0 COTTER_CAUSE=no COTTER_RESULT=kept\n"
		       "MESSAGE=/d could not be renewed " FAILED
		       " COTTER_DEVICE=/d COTTER_RESULT=failed\n");
	/* One that came through does not answer for the volume. */
	expect_entries("{\"device\":\"/a\",\"result\":\"failed\",\"errors\":[\"no\"],\"tokens\":["
		       "{\"token\":0,\"state\":\"renewed\"}]}",
		       "MESSAGE=token 0 of /a was renewed " RENEWED
		       " COTTER_DEVICE=/a COTTER_TOKEN=0 COTTER_RESULT=renewed\n"
		       "MESSAGE=/a could not be renewed: no " FAILED
		       " COTTER_DEVICE=/a COTTER_CAUSE=no COTTER_RESULT=failed\n");
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"1",
		"\"text\"",
		"{}",
		"[1]",
		"[[]]",
		"{\"device\":\"/d\"}",
		"{\"result\":\"ok\"}",
		"{\"device\":1,\"result\":\"ok\"}",
		"{\"device\":\"/d\",\"result\":\"ok\",\"tokens\":[{\"state\":\"renewed\"}]}",
		"{\"device\":\"/d\",\"result\":\"ok\",\"tokens\":[{\"token\":-1}]}",
		"{\"device\":\"/d\",\"result\":\"ok\",\"tokens\":[{\"token\":4294967297}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct entries entries = {0};

		expect(texts[i], read_output(texts[i], &entries), -EBADMSG);
		assert_string_equal(entries.text, "");
	}
}

static void test_stops(void **state)
{
	static const char output[] =
		"[{\"device\":\"/a\",\"result\":\"ok\",\"tokens\":[{\"token\":0,\"state\":\"kept\",\"leaves\":["
		"{\"pin\":\"tang\",\"cause\":\"x\"}]},{\"token\":1}]},"
		"{\"device\":\"/b\",\"result\":\"failed\",\"errors\":[\"1\",\"2\"]}]";

	(void)state;
	for (size_t at = 1; at <= 5; at++) {
		struct entries entries = {.fail_at = at};

		assert_int_equal(read_output(output, &entries), -EIO);
		assert_int_equal(entries.n, at);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens),  cmocka_unit_test(test_parts),
		cmocka_unit_test(test_volumes), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
