/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --help names the options that there are: those that are parsed and that the manual describes. */
#include "enroll/help.h"

#include "enroll/options.h"
#include "tests/unit/vectors/jose.h"

#include <getopt.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 32 };

/* The whole help, as it is printed. */
static const char *help(void)
{
	static char text[16 * 1024];
	size_t n = 0;

	for (size_t i = 0; help_texts[i]; i++) {
		int len = snprintf(text + n, sizeof(text) - n, "%s", help_texts[i]);

		assert_in_range(len, 1, sizeof(text) - n - 1);
		n += (size_t)len;
	}
	return text;
}

/* The name of the next option at or behind *at, with its dashes; false where there is none. */
static bool next_option(const char **at, char ret[NAME_MAX_BYTES])
{
	const char *found = strstr(*at, "--");
	size_t n;

	while (found && (found[2] < 'a' || found[2] > 'z'))
		found = strstr(found + 1, "--");
	if (!found)
		return false;

	n = 2 + strspn(found + 2, "abcdefghijklmnopqrstuvwxyz0123456789-");
	assert_true(n < NAME_MAX_BYTES);
	memcpy(ret, found, n);
	ret[n] = '\0';
	*at = found + n;
	return true;
}

static bool names(const char *text, const char *option)
{
	char name[NAME_MAX_BYTES];

	while (next_option(&text, name))
		if (strcmp(name, option) == 0)
			return true;
	return false;
}

static void keep_line(void *to, enum log_level level, const char *line)
{
	(void)level;
	(void)snprintf(to, LOG_LINE_MAX, "%s", line);
}

static void test_options_exist(void **state)
{
	const char *at = help();
	char name[NAME_MAX_BYTES];
	size_t n = 0;

	(void)state;
	for (; next_option(&at, name); n++) {
		char line[LOG_LINE_MAX] = "";
		const struct log log = {.sink = keep_line, .to = line};
		char *argv[] = {(char *)"cotter-enroll", name, NULL};
		struct options options = {0};

		optind = 0;
		if (options_parse(2, argv, &log, &options) < 0 && strstr(line, "not known"))
			fail_msg("%s", line);
		options_done(&options);
	}
	assert_in_range(n, 19, 100);
}

static void test_values(void **state)
{
	static const char *const with_value[] = {
		"--tang=",
		"--tang-thumbprint=",
		"--tang-advertisement=",
		"--tang-ca=",
		"--tpm2-device=",
		"--tpm2-pcrs=",
		"--tpm2-with-pin=",
		"--tpm2-public-key=",
		"--tpm2-public-key-pcrs=",
		"--tpm2-signature=",
		"--tpm2-seal-key-handle=",
		"--threshold=",
		"--policy=",
		"--key-slot=",
		"--token-id=",
		"--label=",
		"--pbkdf=",
		"--json=",
		"--unlock-key-file=",
		"--wipe-slot=",
		"--header=",
		"--initrd=",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(with_value); i++)
		if (!strstr(help(), with_value[i]))
			fail_msg("the help does not show %s", with_value[i]);
}

/* The manual page without its backslashes. */
static const char *manual(void)
{
	const char *root = getenv("COTTER_SOURCE_ROOT");
	static char text[64 * 1024];
	char path[4096];
	size_t n, kept = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/man/cotter-enroll.1", root ? root : ".");
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text), f);
	(void)fclose(f);
	assert_in_range(n, 1, sizeof(text) - 1);
	for (size_t i = 0; i < n; i++)
		if (text[i] != '\\')
			text[kept++] = text[i];
	text[kept] = '\0';
	return text;
}

/* Options of other programs, which the manual may name. */
static bool is_foreign(const char *name)
{
	static const char *const foreign[] = {
		"--type",
		"--luks2-metadata-size",
		"--disable-external-tokens",
		"--pinnedpubkey",
	};

	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		if (strcmp(name, foreign[i]) == 0)
			return true;
	return false;
}

static void test_manual(void **state)
{
	const char *text = manual(), *at = text, *all = help();
	char name[NAME_MAX_BYTES];

	(void)state;
	while (next_option(&at, name))
		if (!is_foreign(name) && !names(all, name))
			fail_msg("the help does not name %s", name);
	at = all;
	while (next_option(&at, name))
		if (!names(text, name))
			fail_msg("the manual does not name %s", name);
}

static void test_fits(void **state)
{
	const char *line = help();

	(void)state;
	for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
		assert_in_range(end - line, 0, 88);
		for (const char *c = line; c < end; c++)
			assert_in_range(*c, ' ', '~');
	}
	assert_int_equal(*line, '\0');
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_exist),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
