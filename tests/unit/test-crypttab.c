/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines, fields and options of crypttab, as systemd reads them. */
#include "units/crypttab.h"

#include "tests/unit/ref.h"

static void assert_entry(const struct crypttab_entry *entry, const char *const want[4])
{
	assert_ref(entry->name, want[0]);
	assert_ref(entry->device, want[1]);
	assert_ref(entry->key, want[2]);
	assert_ref(entry->options, want[3]);
}

/* The only entry of a text. */
static struct crypttab_entry one(const char *text)
{
	struct crypttab_reader reader = {.rest = ref_str(text)};
	struct crypttab_entry entry = {0}, none;

	assert_int_equal(crypttab_next(&reader, &entry), 1);
	assert_int_equal(crypttab_next(&reader, &none), 0);
	return entry;
}

static void test_fields(void **state)
{
	static const struct {
		const char *text, *want[4];
	} cases[] = {
		{"a b\n", {"a", "b", "", ""}},
		{"a b", {"a", "b", "", ""}},
		{"a b c\n", {"a", "b", "c", ""}},
		{"a b c d\n", {"a", "b", "c", "d"}},
		{"a b c d e f\n", {"a", "b", "c", "d"}},
		{" \t a\t\tb \v\f c\t d,e \t\n", {"a", "b", "c", "d,e"}},
		{"a b c d\r\n", {"a", "b", "c", "d"}},
		{"\n\n# x y\n  # x y\n\t\na b\n#", {"a", "b", "", ""}},
		{"a b # not a remark\n", {"a", "b", "#", "not"}},
		{"a b c d#e\n", {"a", "b", "c", "d#e"}},
		{"\"a b\" c\n", {"\"a", "b\"", "c", ""}},
		{"a\\040b c\\ d e\n", {"a\\040b", "c\\", "d", "e"}},
		{"\xc3\xa4 \xff - -\n", {"\xc3\xa4", "\xff", "-", "-"}},
		{"luks-2505567a UUID=2505567a /key:LABEL=usb header=/h:PARTUUID=x,noauto\n",
		 {"luks-2505567a", "UUID=2505567a", "/key:LABEL=usb",
		  "header=/h:PARTUUID=x,noauto"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct crypttab_entry entry = one(cases[i].text);

		assert_entry(&entry, cases[i].want);
	}
}

static void test_lines(void **state)
{
	static const char text[] = "# first\none a\nbad\n\r\n  two b - x \r\nthree c\0four d\n";
	CLEANUP(exact_free) struct ref copy = exact_copy(text, sizeof(text) - 1);
	struct crypttab_reader reader = {.rest = copy};
	struct crypttab_entry entry, before;

	(void)state;
	assert_int_equal(crypttab_next(&reader, &entry), 1);
	assert_ref(entry.line, "one a");
	assert_int_equal(entry.number, 2);
	before = entry;
	assert_int_equal(crypttab_next(&reader, &entry), -EBADMSG);
	assert_int_equal(reader.number, 3);
	assert_memory_equal(&entry, &before, sizeof(entry));
	assert_int_equal(crypttab_next(&reader, &entry), 1);
	assert_ref(entry.line, "  two b - x ");
	assert_int_equal(entry.number, 5);
	assert_ptr_equal(entry.options.p, copy.p + (strstr(text + 18, "x ") - text));
	assert_int_equal(crypttab_next(&reader, &entry), 1);
	assert_ref(entry.line, "three c");
	assert_int_equal(crypttab_next(&reader, &entry), 1);
	assert_ref(entry.line, "four d");
	assert_int_equal(crypttab_next(&reader, &entry), 0);
	assert_int_equal(crypttab_next(&reader, &entry), 0);
}

/* Each beginning of a text full of what has a meaning is read to its end, and no further. */
static void test_beginnings(void **state)
{
	static const char text[] = "#\n a\tb \\ ,\\,,=,,\\\\,x= \n\r\\ - none \\\0 \v# ,,\\";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		CLEANUP(exact_free) struct ref copy = exact_copy(text, n);
		struct crypttab_reader reader = {.rest = copy};
		struct crypttab_entry entry;
		struct ref option;
		size_t lines = 0;
		int r;

		while ((r = crypttab_next(&reader, &entry)) != 0 && lines++ <= n)
			while (r > 0 && crypttab_option_next(&entry.options, &option))
				assert_true(option.n > 0);
		assert_int_equal(r, 0);
		assert_int_equal(reader.rest.n, 0);
	}
}

static void test_options(void **state)
{
	static const char *const want[] = {"a", "b=c", "d\\,e", "f\\\\", "g"};
	struct ref rest = ref_str(",a,,b=c,d\\,e,f\\\\,g,"), option;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_true(crypttab_option_next(&rest, &option));
		assert_ref(option, want[i]);
	}
	assert_false(crypttab_option_next(&rest, &option));
	rest = ref_str("a\\");
	assert_true(crypttab_option_next(&rest, &option));
	assert_ref(option, "a\\");
	assert_false(crypttab_option_next(&rest, &option));
}

static void test_option(void **state)
{
	static const struct {
		const char *options, *value; /* NULL: it is not there */
	} cases[] = {
		{"", NULL},         {"key", ""},         {"key=", ""},         {"key=v", "v"},
		{"key=v=w", "v=w"}, {"a,key=v,b", "v"},  {"key=v,key=w", "w"}, {"key=v,key", ""},
		{"keys", NULL},     {"ke", NULL},        {"a\\,key=v", NULL},  {"a\\\\,key=v", "v"},
		{"Key", NULL},      {"key\\,a=v", NULL}, {"a=key", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ref value = ref_str("before");
		bool found = crypttab_option(ref_str(cases[i].options), "key", &value);

		if (found != !!cases[i].value)
			fail_msg("\"%s\": found or not", cases[i].options);
		assert_int_equal(crypttab_option(ref_str(cases[i].options), "key", NULL), found);
		assert_ref(value, found ? cases[i].value : "before");
	}
}

static void test_switch(void **state)
{
	(void)state;
	assert_false(crypttab_switch(ref_str(""), "noauto", "auto"));
	assert_false(crypttab_switch(ref_str("luks"), "noauto", "auto"));
	assert_true(crypttab_switch(ref_str("noauto"), "noauto", "auto"));
	assert_false(crypttab_switch(ref_str("auto"), "noauto", "auto"));
	assert_false(crypttab_switch(ref_str("noauto,auto"), "noauto", "auto"));
	assert_true(crypttab_switch(ref_str("auto,x,noauto,y"), "noauto", "auto"));
	assert_false(crypttab_switch((struct ref){0}, "noauto", "auto"));
}

static void test_none(void **state)
{
	(void)state;
	assert_true(crypttab_none((struct ref){0}));
	assert_true(crypttab_none(ref_str("-")));
	assert_true(crypttab_none(ref_str("none")));
	assert_false(crypttab_none(ref_str("None")));
	assert_false(crypttab_none(ref_str("/none")));
	assert_false(crypttab_none(ref_str("nonexistent")));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),     cmocka_unit_test(test_lines),
		cmocka_unit_test(test_beginnings), cmocka_unit_test(test_options),
		cmocka_unit_test(test_option),     cmocka_unit_test(test_switch),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
