/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which volumes crypttab and the kernel command line come to, with which options. */
#include "units/listed.h"

#include "tests/unit/ref.h"

#define U1 "2505567a-9e27-4efe-a4d5-15ad146c258b"
#define U2 "5f0b1f52-22b1-4d7c-8d4c-9f1e3a0c7c55"

#define CRYPTTAB "one UUID=" U1 " /k a\ntwo /dev/disk/by-uuid/" U2 " - b\nthree /dev/vdc\n"

/* The volumes as one line: "NAME KEY OPTIONS;" each. */
static const char *list(const char *crypttab, const char *words, struct lines *lines)
{
	static char text[1024];
	CLEANUP(cmdline_done) struct cmdline cmdline = {0};
	CLEANUP(listed_done) struct listed listed = {0};

	assert_int_equal(cmdline_parse(ref_str(words), true, NULL, &cmdline), 0);
	assert_int_equal(listed_read(ref_str(crypttab), &cmdline, lines_begin(lines), &listed), 0);
	text[0] = '\0';
	for (size_t i = 0; i < listed.n; i++) {
		const struct listed_volume *v = &listed.volumes[i];
		size_t used = strlen(text);

		(void)snprintf(text + used, sizeof(text) - used, "%s %.*s %.*s;", v->name,
			       (int)v->key.n, v->key.n ? (const char *)v->key.p : "",
			       (int)v->options.n, v->options.n ? (const char *)v->options.p : "");
	}
	return text;
}

static void test_list(void **state)
{
	static const struct {
		const char *crypttab, *words, *want;
	} cases[] = {
		{"", "", ""},
		{CRYPTTAB, "", "one /k a;two - b;three  ;"},
		{CRYPTTAB, "luks=no luks.uuid=" U1, ""},
		{CRYPTTAB, "luks.crypttab=no", ""},
		/* by its UUID, in whichever way crypttab says it */
		{CRYPTTAB, "luks.uuid=" U1, "one /k a;"},
		{CRYPTTAB, "luks.uuid=luks-" U2, "two - b;"},
		{"luks-" U1 " /dev/vda - a\n", "luks.uuid=" U1, "luks-" U1 " - a;"},
		{CRYPTTAB, "luks.name=" U1 "=x", "one /k a;"},
		/* options of the command line take the place of crypttab's, the key does not */
		{CRYPTTAB, "luks.options=" U1 "=c luks.key=" U1 "=/x luks.options=d",
		 "one /k c;two - b;three  ;"},
		{CRYPTTAB, "luks.uuid=" U1 " luks.options=" U2 "=c", "one /k a;two - c;"},
		{CRYPTTAB, "luks.uuid=" U1 " luks.data=" U2 "=/dev/vdx", "one /k a;two - b;"},
		/* not in crypttab */
		{"", "luks.uuid=" U1, "luks-" U1 "  ;"},
		{"", "luks.uuid=" U1 " luks.options=c luks.key=/k", "luks-" U1 " /k c;"},
		{"", "luks.uuid=" U1 " luks.options=c luks.options=" U1 "=d luks.key=" U1 "=/x",
		 "luks-" U1 " /x d;"},
		{"", "luks.name=" U1 "=x rd.luks.name=" U2 "=y", "x  ;y  ;"},
		{"", "luks.options=" U1 "=c luks.data=" U1 "=/dev/vda", ""},
		{CRYPTTAB, "luks.crypttab=no luks.uuid=" U1, "luks-" U1 "  ;"},
	};
	struct lines lines;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *got = list(cases[i].crypttab, cases[i].words, &lines);

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s with %s: got \"%s\", want \"%s\"", cases[i].crypttab,
				 cases[i].words, got, cases[i].want);
		assert_told(cases[i].words, &lines, NULL);
	}
}

static void test_told(void **state)
{
	struct lines lines;

	(void)state;
	assert_string_equal(list("# x\nalone\nb c - d\n", "", &lines), "b - d;");
	assert_told("one field", &lines, "line 2 of crypttab names no device");
	assert_string_equal(list("a b - c\na d - e\n", "", &lines), "a - c;");
	assert_told("twice", &lines, "there are two volumes a: the second is ignored");
	assert_string_equal(list("a b - c\n", "luks.uuid=" U1, &lines), "luks-" U1 "  ;");
	assert_told("left out", &lines, NULL);
	assert_non_null(strstr(lines.debug, "volume a is not among those"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
