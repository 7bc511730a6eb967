/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cotter-tangd's command line: defaults, tangd's own options, and what is refused in which words. */
#include "tang/server/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/lines.h"

enum { ARGUMENTS_MAX = 32 };

/* Splits a command line at its spaces. */
static int parse(const char *line, const struct log *log, struct settings *ret)
{
	static char text[1024];
	static char name[] = "cotter-tangd";
	char *argv[ARGUMENTS_MAX] = {name};
	int argc = 1;

	(void)snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return settings_parse(argc, argv, log, ret);
}

static void test_defaults(void **state)
{
	struct settings settings;

	(void)state;
	assert_int_equal(parse("/keys", NULL, &settings), 0);
	assert_string_equal(settings.folder, "/keys");
	assert_null(settings.endpoint);
	assert_null(settings.usage);
	assert_null(settings.key);
	assert_int_equal(settings.n_listen, 0);
	assert_false(settings.has_metrics);
	assert_int_equal(settings.workers, 0);
	assert_int_equal(settings.max_connections, 4096);
	assert_int_equal(settings.max_connections_per_address, 2048);
	assert_int_equal(settings.idle_timeout, 10);
	assert_int_equal(settings.request_timeout, 30);
	assert_int_equal(settings.log, SETTINGS_LOG_RECOVERY);
}

/* As its units and man page have them. */
static void test_tangd(void **state)
{
	char text[LISTEN_TEXT_MAX];
	struct settings settings;

	(void)state;
	assert_int_equal(parse("-l -p 8080 -e /a/b/ /keys", NULL, &settings), 0);
	assert_int_equal(settings.n_listen, 1);
	listen_address_write(&settings.listen[0].any, true, text);
	assert_string_equal(text, "[::]:8080");
	assert_string_equal(settings.endpoint, "a/b");
	assert_int_equal(parse("-l /keys", NULL, &settings), 0);
	listen_address_write(&settings.listen[0].any, true, text);
	assert_string_equal(text, "[::]:9090");
	assert_int_equal(parse("/keys --port=1 --listen", NULL, &settings), 0);
	listen_address_write(&settings.listen[0].any, true, text);
	assert_string_equal(text, "[::]:1");
	assert_int_equal(parse("-p 80 /keys", NULL, &settings), 0);
	assert_int_equal(settings.n_listen, 0);
	assert_int_equal(parse("-e / /keys", NULL, &settings), 0);
	assert_null(settings.endpoint);
	assert_int_equal(parse("-V", NULL, &settings), 0);
	assert_true(settings.version);
	assert_int_equal(parse("--help --log=none", NULL, &settings), 0);
	assert_true(settings.help);
}

static void test_all(void **state)
{
	char text[LISTEN_TEXT_MAX];
	struct settings settings;

	(void)state;
	assert_int_equal(
		parse("--listen=[::1]:0 --listen=192.0.2.1:80 --metrics=127.0.0.1:9100 "
		      "--workers=3 --max-connections=5 --max-connections-per-address=2 "
		      "--idle-timeout=7 --request-timeout=8 --log=error --usage=u "
		      "--tls-certificate=c --tls-key=k --tls-client-ca=ca --endpoint=x keys",
		      NULL, &settings),
		0);
	assert_int_equal(settings.n_listen, 2);
	listen_address_write(&settings.listen[0].any, true, text);
	assert_string_equal(text, "[::1]:0");
	listen_address_write(&settings.listen[1].any, true, text);
	assert_string_equal(text, "192.0.2.1:80");
	assert_true(settings.has_metrics);
	listen_address_write(&settings.metrics.any, true, text);
	assert_string_equal(text, "127.0.0.1:9100");
	assert_int_equal(settings.workers, 3);
	assert_int_equal(settings.max_connections, 5);
	assert_int_equal(settings.max_connections_per_address, 2);
	assert_int_equal(settings.idle_timeout, 7);
	assert_int_equal(settings.request_timeout, 8);
	assert_int_equal(settings.log, SETTINGS_LOG_ERROR);
	assert_string_equal(settings.usage, "u");
	assert_string_equal(settings.certificate, "c");
	assert_string_equal(settings.key, "k");
	assert_string_equal(settings.client_ca, "ca");
	assert_string_equal(settings.endpoint, "x");
	assert_string_equal(settings.folder, "keys");
}

/* As many as there is room for, and no more. */
static void test_many_listen(void **state)
{
	struct settings settings = {0};
	struct lines lines;
	char line[1024] = "keys";

	(void)state;
	for (unsigned i = 1; i <= LISTEN_MAX + 1; i++) {
		size_t n = strlen(line);

		(void)snprintf(line + n, sizeof(line) - n, " --listen=127.0.0.1:%u", i);
		if (i <= LISTEN_MAX)
			assert_int_equal(parse(line, NULL, &settings), 0);
		assert_int_equal(settings.n_listen, i <= LISTEN_MAX ? i : LISTEN_MAX);
	}
	assert_int_equal(parse(line, lines_begin(&lines), &settings), -E2BIG);
	assert_told("many", &lines, "--listen can be given 16 times");
	assert_int_equal(settings.n_listen, LISTEN_MAX);
}

static void test_refused(void **state)
{
	static const struct {
		const char *line, *words;
	} cases[] = {
		{"", "one folder"},
		{"a b", "one folder"},
		{"--bogus keys", "unknown or lacks its value"},
		{"-x keys", "unknown or lacks its value"},
		{"keys -p", "unknown or lacks its value"},
		{"-p 0 keys", "--port=0 is no number from 1 to 65535"},
		{"-p 65536 keys", "--port=65536 is no number"},
		{"-p 80x keys", "--port=80x is no number"},
		{"-p -1 keys", "--port=-1 is no number"},
		{"--workers=0 keys", "--workers=0 is no number from 1 to 1024"},
		{"--workers=99999999999999999999 keys", "is no number from 1 to 1024"},
		{"--workers= keys", "--workers= is no number"},
		{"--idle-timeout=0 keys", "--idle-timeout=0 is no number"},
		{"--request-timeout=1e3 keys", "--request-timeout=1e3 is no number"},
		{"--max-connections=x keys", "--max-connections=x is no number"},
		{"--max-connections-per-address=0 keys", "--max-connections-per-address=0 is no"},
		{"--listen=80 keys", "--listen=80 is no address and port"},
		{"--listen=name:80 keys", "--listen=name:80 is no address and port"},
		{"--metrics=::1:80 keys", "--metrics=::1:80 is no address and port"},
		{"--log=all keys", "none of none, error and recovery"},
		{"--tls-key=k keys", "go together"},
		{"--tls-certificate=c keys", "go together"},
		{"--tls-client-ca=c keys", "needs --tls-certificate"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct settings settings = {.folder = "untouched"};
		struct lines lines;

		assert_int_equal(parse(cases[i].line, lines_begin(&lines), &settings), -EINVAL);
		assert_told(cases[i].line, &lines, cases[i].words);
		assert_string_equal(settings.folder, "untouched");
	}
}

static void test_too_many(void **state)
{
	char line[1024] = "";
	struct settings settings;
	struct lines lines;

	(void)state;
	for (size_t i = 0; i < LISTEN_MAX; i++)
		(void)snprintf(line + strlen(line), sizeof(line) - strlen(line),
			       "--listen=127.0.0.1:%zu ", i);
	(void)snprintf(line + strlen(line), sizeof(line) - strlen(line), "keys");
	assert_int_equal(parse(line, lines_begin(&lines), &settings), 0);
	assert_int_equal(settings.n_listen, LISTEN_MAX);
	(void)snprintf(line + strlen(line), sizeof(line) - strlen(line), " -l");
	assert_int_equal(parse(line, lines_begin(&lines), &settings), -E2BIG);
	assert_told("one more", &lines, "--listen can be given");
}

static void test_help(void **state)
{
	static const char *const options[] = {
		"--listen",
		"-l",
		"-p",
		"--port",
		"-e",
		"--endpoint",
		"--tls-certificate",
		"--tls-key",
		"--tls-client-ca",
		"--metrics",
		"--workers",
		"--max-connections=",
		"--max-connections-per-address",
		"--idle-timeout",
		"--request-timeout",
		"--log",
		"--usage",
		"--help",
		"-V",
		"--version",
	};
	char all[8192] = "";

	(void)state;
	for (size_t i = 0; settings_help[i]; i++)
		(void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s",
			       settings_help[i]);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		assert_non_null(strstr(all, options[i]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_tangd),
		cmocka_unit_test(test_all),      cmocka_unit_test(test_many_listen),
		cmocka_unit_test(test_refused),  cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
