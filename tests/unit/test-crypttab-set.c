/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A volume's line of crypttab, added or completed, with all else as it was. */
#include "units/crypttab.h"

#include "tests/unit/ref.h"

#define OPTIONS "token-type=cotter-tang,_netdev"

static const struct crypttab_edit usual = {"data", "UUID=1a", OPTIONS};

static void test_set(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		/* added */
		{"", "data UUID=1a none " OPTIONS "\n"},
		{"# x\n", "# x\ndata UUID=1a none " OPTIONS "\n"},
		{"a b", "a b\ndata UUID=1a none " OPTIONS "\n"},
		{"bad\n", "bad\ndata UUID=1a none " OPTIONS "\n"},
		{"#data UUID=1a - x\n", "#data UUID=1a - x\ndata UUID=1a none " OPTIONS "\n"},
		{"datas UUID=2 - x\n", "datas UUID=2 - x\ndata UUID=1a none " OPTIONS "\n"},
		/* completed */
		{"data UUID=1a", "data UUID=1a none " OPTIONS},
		{"data UUID=1a\n", "data UUID=1a none " OPTIONS "\n"},
		{"data\t\tUUID=1a\n", "data\t\tUUID=1a\t\tnone\t\t" OPTIONS "\n"},
		{"data UUID=1a\tnone\n", "data UUID=1a\tnone\t" OPTIONS "\n"},
		{"data UUID=1a  - \t\n", "data UUID=1a  -  " OPTIONS " \t\n"},
		{"data UUID=1a - none\n", "data UUID=1a - " OPTIONS "\n"},
		{"data UUID=1a - -\n", "data UUID=1a - " OPTIONS "\n"},
		{"data UUID=1a - luks,discard\n", "data UUID=1a - luks,discard," OPTIONS "\n"},
		{"data UUID=1a - luks,\n", "data UUID=1a - luks," OPTIONS "\n"},
		{"data UUID=1a - a\\,\n", "data UUID=1a - a\\,," OPTIONS "\n"},
		{"data UUID=1a - a\\\\,\n", "data UUID=1a - a\\\\," OPTIONS "\n"},
		{"data UUID=1a - luks  # x\n", "data UUID=1a - luks," OPTIONS "  # x\n"},
		{"data UUID=1a - luks\r\nx y\r\n", "data UUID=1a - luks," OPTIONS "\r\nx y\r\n"},
		{"data UUID=1a - _netdev\n", "data UUID=1a - _netdev,token-type=cotter-tang\n"},
		{"data UUID=1a - token-type=cotter-tpm2\n",
		 "data UUID=1a - token-type=cotter-tpm2," OPTIONS "\n"},
		{"data UUID=1A - luks\n", "data UUID=1A - luks," OPTIONS "\n"},
		{"data /dev/sdb1 none\n", "data /dev/sdb1 none " OPTIONS "\n"},
		{"data LABEL=x none\n", "data LABEL=x none " OPTIONS "\n"},
		{"# data\n\n\t\n a  b \nbad\ndata UUID=1a - luks\nc  d\t\n\n#",
		 "# data\n\n\t\n a  b \nbad\ndata UUID=1a - luks," OPTIONS "\nc  d\t\n\n#"},
		/* left as it is */
		{"data UUID=1a - " OPTIONS "\n", "data UUID=1a - " OPTIONS "\n"},
		{"data UUID=1a - _netdev,x,token-type=cotter-tang x\n",
		 "data UUID=1a - _netdev,x,token-type=cotter-tang x\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t n = strlen(cases[i].before);
		CLEANUP(exact_free) struct ref text = exact_copy(cases[i].before, n);
		CLEANUP(buf_done) struct buf once = {0}, twice = {0};
		struct lines lines;
		const struct log *log = lines_begin(&lines);

		assert_int_equal(crypttab_set(text, &usual, log, &once), 0);
		assert_ref(buf_ref(&once), cases[i].after);
		assert_int_equal(crypttab_set(buf_ref(&once), &usual, log, &twice), 0);
		assert_ref(buf_ref(&twice), cases[i].after);
		assert_told(cases[i].before, &lines, NULL);
	}
}

static void check_refused(const char *text, const struct crypttab_edit *edit, int want,
			  const char *words)
{
	static const struct buf untouched = {0};
	struct buf out = {0};
	struct lines lines;
	int r = crypttab_set(ref_str(text), edit, lines_begin(&lines), &out);

	if (r != want)
		fail_msg("%s: got %d, want %d", text, r, want);
	assert_told(text, &lines, words);
	assert_memory_equal(&out, &untouched, sizeof(out));
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int want;
		const char *words;
	} cases[] = {
		{"data UUID=1a /key x\n", -EBUSY, "key file /key for data"},
		{"#\ndata UUID=1a /dev/urandom swap\n", -EBUSY, "on line 2"},
		{"data UUID=1a -\nx y\ndata UUID=1a -\n", -ENOTUNIQ, "data, 1 and 3"},
		{"data UUID=1b -\n", -EEXIST, "on line 1, on UUID=1b, not on UUID=1a"},
		{"other UUID=1a -\n", -EEXIST, "as volume other, on line 1"},
		{"data UUID=1a - x\nother UUID=1a -\n", -EEXIST, "as volume other, on line 2"},
		{"data UUID=1a # x\n", -EBADMSG, "line 1 of crypttab ends in a remark"},
		{"data UUID=1a none # x\n", -EBADMSG, "line 1 of crypttab ends in a remark"},
		{"data UUID=1a - x\\\n", -EBADMSG, "backslash"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_refused(cases[i].text, &usual, cases[i].want, cases[i].words);
}

static void test_words(void **state)
{
	static const struct {
		struct crypttab_edit edit;
		const char *words;
	} cases[] = {
		{{"", "b", "c"}, "\"\" cannot be the name of a volume"},
		{{"a b", "b", "c"}, "\"a b\" cannot be the name of a volume"},
		{{"#a", "b", "c"}, "\"#a\" cannot be the name of a volume"},
		{{"a\n", "b", "c"}, "cannot be the name of a volume"},
		{{"a\x7f", "b", "c"}, "cannot be the name of a volume"},
		{{"a", "PARTLABEL=my disk", "c"}, "\"PARTLABEL=my disk\" cannot name a device"},
		{{"a", "", "c"}, "\"\" cannot name a device"},
		{{"a", "b", ""}, "\"\" cannot be options"},
		{{"a", "b", "c\td"}, "cannot be options"},
		{{"a", "b", "c\\"}, "cannot be options"},
		{{"a", "b", "#c"}, "\"#c\" cannot be options"},
		{{"a", "b", ",#c"}, "\",#c\" cannot be options"},
		{{"a", "b", ",,"}, "\",,\" cannot be options"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_refused("", &cases[i].edit, -EINVAL, cases[i].words);
}

static void test_size(void **state)
{
	struct buf text = {0}, out = {0};
	struct lines lines;

	(void)state;
	assert_int_equal(buf_init(&text, CRYPTTAB_SIZE_MAX), 0);
	while (buf_append_str(&text, "#2345678901234\n") == 0)
		continue;
	assert_int_equal(crypttab_set(buf_ref(&text), &usual, lines_begin(&lines), &out), -E2BIG);
	assert_told("a long one", &lines, "too large");
	assert_null(out.p);
	text.n -= 64;
	assert_int_equal(crypttab_set(buf_ref(&text), &usual, NULL, &out), 0);
	assert_in_range(out.n, text.n, CRYPTTAB_SIZE_MAX);
	buf_done(&out);
	buf_done(&text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
