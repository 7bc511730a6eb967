/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From policies to the lines for builders of initramfs images. */
#include "tests/unit/needs.h"

#include "tests/unit/vectors/tang.h"
#include "tests/unit/vectors/tpm.h"
#include "units/needs-pin.h"

#include <sys/stat.h>
#include <unistd.h>

#define TSS_LINES                                                                     \
	"library required libtss2-esys.so.0\nlibrary required libtss2-tctildr.so.0\n" \
	"library required libtss2-tcti-device.so.0\nlibrary suggested libtss2-rc.so.0\n"

/* The lines of a token: the JSON is the token's. */
static int of_token(const struct needs *needs, const json_t *json)
{
	CLEANUP(token_done) struct token token = {0};
	char *text;
	int r;

	assert_int_equal(js_dump(json, &text), 0);
	assert_int_equal(token_parse(ref_str(text), needs->log, &token), 0);
	r = needs_token(needs, &token);
	free(text);
	return r;
}

static int of_all(const struct needs *needs, const json_t *facts)
{
	(void)facts;
	return needs_all(needs);
}

static void test_tang_token(void **state)
{
	char *json;

	(void)state;
	assert_true(asprintf(&json,
			     "{\"type\":\"cotter-tang\",\"keyslots\":[\"0\"],\"jwe\":\"%s\"}",
			     tang_vectors[0].jwe) > 0);
	assert_needs(of_token, json,
		     "plugin /plugins/libcryptsetup-token-cotter-tang.so\n"
		     "library required libcurl.so.4\n"
		     "network http://tang.test\nname tang.test\n");
	free(json);
}

/* A token of the tpm2 pin whose protected header this is. */
static void assert_tpm2_needs(const char *header, const char *lines)
{
	CLEANUP_JSON json_t *json = json_pack(
		"{s:s, s:[s], s:{s:o, s:s, s:s, s:s}}", "type", "cotter-tpm2", "keyslots", "0",
		"jwe", "protected", js_from_b64(ref_str(header)), "iv", "AAAAAAAAAAAAAAAA",
		"ciphertext", "AAAA", "tag", "AAAAAAAAAAAAAAAAAAAAAA");
	char *text;

	assert_int_equal(js_dump(json, &text), 0);
	assert_needs(of_token, text, lines);
	free(text);
}

static void test_tpm2_token(void **state)
{
	(void)state;
	assert_tpm2_needs(CLEVIS_HEADER,
			  "plugin /plugins/libcryptsetup-token-cotter-tpm2.so\n" TSS_LINES
			  "drivers drivers/char/tpm\n");
}

/* Each type's plugin may be followed by others'. */
static void test_all(void **state)
{
	static const char *const blocks[] = {
		"plugin /plugins/libcryptsetup-token-cotter-tang.so\n"
		"library required libcurl.so.4\n"
		"network any Tang server\nbundle any Tang server\n",
		"plugin /plugins/libcryptsetup-token-cotter-tpm2.so\n" TSS_LINES
		"drivers drivers/char/tpm\n",
	};
	char *text;

	(void)state;
	assert_int_equal(needs_run(of_all, "{}", &text), 0);
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		assert_non_null(strstr(text, blocks[i]));
	free(text);
}

static int name_file(const struct needs *needs, const json_t *facts)
{
	return needs_file(needs, js_str(facts, "path"));
}

static void assert_file(const char *path, int error, const char *why)
{
	char *json, *text;

	assert_true(asprintf(&json, "{\"path\":\"%s\"}", path) > 0);
	assert_int_equal(needs_run(name_file, json, &text), error);
	if (error == 0)
		assert_string_equal(text + strlen("file "), "/etc/os-release\n");
	else if (!strstr(needs_cause, why))
		fail_msg("told \"%s\", without \"%s\"", needs_cause, why);
	free(text);
	free(json);
}

static void test_files(void **state)
{
	char folder[] = "/tmp/cotter-needs.XXXXXX", file[64];

	(void)state;
	assert_non_null(mkdtemp(folder)); /* only its owner may enter */
	(void)snprintf(file, sizeof(file), "%s/file", folder);
	assert_int_equal(symlink("/etc/shadow", file), 0);

	assert_file("/etc/os-release", 0, NULL);
	assert_file("/nonexistent", -ENOENT, "is missing");
	assert_file("/etc/shadow", -EPERM, "not a file that everybody may read");
	assert_file(file, -EPERM, "not a file that everybody may read");
	assert_file("/dev/null", -EPERM, "not a file that everybody may read");
	assert_file("/etc", -EPERM, "not a file that everybody may read");

	assert_int_equal(unlink(file), 0);
	assert_int_equal(fclose(fopen(file, "w")), 0);
	assert_int_equal(chmod(file, 0644), 0);
	assert_file(file, -EPERM, "in a folder that not everybody may enter");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
}

static int name_odd(const struct needs *needs, const json_t *facts)
{
	(void)facts;
	return needs_line(needs, "file", "/a\nplugin /b");
}

static void test_lines_stay_lines(void **state)
{
	(void)state;
	assert_needs_fails(name_odd, "{}", -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tang_token),
		cmocka_unit_test(test_tpm2_token),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_lines_stay_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
