/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel command line's words about volumes. */
#include "units/cmdline.h"

#include "tests/unit/ref.h"

#define UUID  "2505567a-9e27-4efe-a4d5-15ad146c258b"
#define OTHER "5f0b1f52-22b1-4d7c-8d4c-9f1e3a0c7c55"

static struct lines lines;

static struct cmdline parse(const char *text, bool initrd)
{
	CLEANUP(exact_free) struct ref copy = exact_copy(text, strlen(text));
	struct cmdline line = {0};

	assert_int_equal(cmdline_parse(copy, initrd, lines_begin(&lines), &line), 0);
	return line;
}

static void test_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		" \n",
		"root=/dev/vda1 ro quiet",
		"luks=yes luks.crypttab=1 luks luks.crypttab",
		"luksx=no luks.uuids=1 lluks=no LUKS=no =no luks.crypttab.x=0",
		"rd.luks=no rd.luks.crypttab=no rd.luks.uuid=1 rd.luks.name=1=a rd.debug",
		"rd.luks.options=a rd.luks.key=b rd.luks.data=" UUID "=c",
		"debug=1 systemd.log_level=info",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(cmdline_done) struct cmdline line = parse(texts[i], false);

		assert_told(texts[i], &lines, NULL);
		assert_false(line.disabled || line.no_crypttab || line.selective || line.debug);
		assert_int_equal(line.n + line.key.n + line.options.n, 0);
	}
}

static void test_switches(void **state)
{
	static const struct {
		const char *text;
		bool initrd, disabled, no_crypttab, debug;
	} cases[] = {
		{"luks=no", false, true, false, false},
		{"luks=no", true, true, false, false},
		{"rd.luks=0", true, true, false, false},
		{"luks=off luks=on", false, false, false, false},
		{"luks=no luks", false, false, false, false},
		{"luks.crypttab=False", false, false, true, false},
		{"rd.luks.crypttab=n", true, false, true, false},
		{"debug", false, false, false, true},
		{"systemd.log_level=debug", false, false, false, true},
		{"rd.systemd.log_level=7", true, false, false, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(cmdline_done) struct cmdline line = parse(cases[i].text, cases[i].initrd);

		assert_told(cases[i].text, &lines, NULL);
		assert_int_equal(line.disabled, cases[i].disabled);
		assert_int_equal(line.no_crypttab, cases[i].no_crypttab);
		assert_int_equal(line.debug, cases[i].debug);
	}
}

static void test_bool(void **state)
{
	static const char *const yes[] = {"1", "yes", "Y", "true", "T", "ON"};
	static const char *const no[] = {"0", "no", "N", "false", "F", "Off"};
	static const char *const neither[] = {"", "2", "ye", "yess", "none", "-1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		assert_int_equal(cmdline_bool(ref_str(yes[i])), 1);
		assert_int_equal(cmdline_bool(ref_str(no[i])), 0);
		assert_int_equal(cmdline_bool(ref_str(neither[i])), -EINVAL);
	}
}

/* All that can be said of a volume, gathered from anywhere in the line. */
static void test_volumes(void **state)
{
	CLEANUP(cmdline_done)
	struct cmdline line =
		parse("luks.options=" UUID "=a,b luks.uuid=luks-" UUID " x luks.data=" UUID
		      "=/dev/vda luks.key=" UUID "=/k:LABEL=u luks.name=" UUID
		      "=data luks.uuid=" OTHER " luks.options=all luks.key=/any",
		      false);
	const struct cmdline_volume *volume = cmdline_find(&line, ref_str(UUID));

	(void)state;
	assert_told("all", &lines, NULL);
	assert_true(line.selective);
	assert_ref(line.options, "all");
	assert_ref(line.key, "/any");
	assert_int_equal(line.n, 2);
	assert_non_null(volume);
	assert_true(volume->create);
	assert_ref(volume->name, "data");
	assert_ref(volume->device, "/dev/vda");
	assert_ref(volume->key, "/k:LABEL=u");
	assert_ref(volume->options, "a,b");
	volume = cmdline_find(&line, ref_str(OTHER));
	assert_non_null(volume);
	assert_true(volume->create);
	assert_int_equal(volume->name.n + volume->options.n + volume->key.n, 0);
	assert_null(cmdline_find(&line, ref_str("2505567a")));
	assert_null(cmdline_find(&line, ref_str("")));
}

/* Options alone do not ask for a volume; the last word counts. */
static void test_options(void **state)
{
	CLEANUP(cmdline_done)
	struct cmdline line =
		parse("luks.options=" UUID "=a rd.luks.options=" UUID "=b luks.options=discard "
		      "rd.luks.options=token-type=cotter-tang,_netdev luks.key=" OTHER "=/k",
		      true);

	(void)state;
	assert_told("options", &lines, NULL);
	assert_false(line.selective);
	assert_int_equal(line.n, 2);
	assert_false(line.volumes[0].create || line.volumes[1].create);
	assert_ref(line.volumes[0].options, "b");
	assert_ref(line.options, "token-type=cotter-tang,_netdev");
}

static void test_quotes(void **state)
{
	CLEANUP(cmdline_done)
	struct cmdline line = parse("\"luks.options=a b\" luks.na\"me=" UUID
				    "=\"x'y'\\z 'luks.key=a\"b' luks.uuid=\"1 2",
				    false);

	(void)state;
	assert_ref(line.options, "a b");
	assert_ref(line.key, "a\"b");
	assert_ref(cmdline_find(&line, ref_str(UUID))->name, "xy\\z");
	assert_non_null(cmdline_find(&line, ref_str("1 2")));
}

/* What is not understood is told and passed over; what follows is not. */
static void test_wrong(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"luks=maybe", "luks=maybe on the kernel command line is not yes or no"},
		{"luks.crypttab=", "is not yes or no"},
		{"luks.uuid", "luks.uuid on the kernel command line has no value"},
		{"luks.uuid=", "luks.uuid on the kernel command line has no value"},
		{"luks.options", "has no value"},
		{"luks.name=data", "luks.name=data on the kernel command line is not UUID=NAME"},
		{"luks.name=" UUID, "is not UUID=NAME"},
		{"luks.name=" UUID "=", "is not UUID=NAME"},
		{"luks.name==x", "is not UUID=NAME"},
		{"luks.data=/dev/vda", "is not UUID=DEVICE"},
		{"luks.data=abc=/dev/vda", "is not UUID=DEVICE"},
		{"luks.options=abc=x", "is not UUID=OPTIONS"},
		{"luks.options=2505567a9-e27-4efe-a4d5-15ad146c258b=x", "is not UUID=OPTIONS"},
		{"luks.options=2505567a-9e27-4efe-a4d5-15ad146c258=x", "is not UUID=OPTIONS"},
		{"luks.key=2505567a-9e27-4efe-a4d5-15ad146c258bb=x", "is not UUID=FILE"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[256];
		struct cmdline line;

		(void)snprintf(text, sizeof(text), "%s luks.key=/k", cases[i].text);
		line = parse(text, false);
		assert_told(cases[i].text, &lines, cases[i].words);
		assert_false(line.disabled || line.no_crypttab || line.selective);
		assert_int_equal(line.n, 0);
		assert_ref(line.key, "/k");
		cmdline_done(&line);
	}
}

static void test_plain_uuid(void **state)
{
	CLEANUP(cmdline_done)
	struct cmdline line = parse("luks.options=2505567A9e274efea4d515ad146c258b=x", false);

	(void)state;
	assert_told("32 digits", &lines, NULL);
	assert_int_equal(line.n, 1);
}

static void test_size(void **state)
{
	static char text[CMDLINE_SIZE_MAX + 1];
	struct cmdline line = {0};

	(void)state;
	memset(text, '=', sizeof(text));
	for (size_t i = 1; i < sizeof(text); i += 2)
		text[i] = ' ';
	assert_int_equal(
		cmdline_parse((struct ref){(uint8_t *)text, sizeof(text)}, true, NULL, &line),
		-E2BIG);
	assert_null(line.words);
	assert_int_equal(
		cmdline_parse((struct ref){(uint8_t *)text, sizeof(text) - 1}, true, NULL, &line),
		0);
	cmdline_done(&line);
	cmdline_done(&line);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_switches),
		cmocka_unit_test(test_bool),    cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_options), cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_wrong),   cmocka_unit_test(test_plain_uuid),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
