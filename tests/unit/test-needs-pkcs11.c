/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an initramfs must hold for a smart card. */
#include "units/needs-pin.h"

#include "tests/unit/needs.h"

#include <sys/stat.h>
#include <unistd.h>

static void assert_module(const char *text, const char *module)
{
	char path[NEEDS_PATH_MAX] = "untouched";

	assert_int_equal(needs_p11_module(ref_str(text), path), module ? 0 : -ENOENT);
	assert_string_equal(path, module ? module : "untouched");
}

static void test_configuration(void **state)
{
	(void)state;
	assert_module("module: /a/b.so", "/a/b.so");
	assert_module("# module: x\n\nmodule:\t/a b.so \r\npriority: 1\n", "/a b.so");
	assert_module("module: /a.so\ntrust-policy: no\n", "/a.so");
	assert_module("module: /a.so\ntrust-policy: yes\n", NULL);
	assert_module("remote: |ssh host p11-kit remote\n", NULL);
	assert_module("module:\n", NULL);
	assert_module("", NULL);
}

/* Which is in p11-kit's own folder then. */
static void test_relative_module(void **state)
{
	char path[NEEDS_PATH_MAX];

	(void)state;
	assert_int_equal(needs_p11_module(ref_str("module: b.so\n"), path), 0);
	assert_int_equal(path[0], '/');
	assert_string_equal(strrchr(path, '/'), "/b.so");
}

/* In a folder that anybody may enter, and none but its owner change. */
struct files {
	char folder[32], module[64], pin[64], other[64];
};

static void make_file(const char *path, mode_t mode)
{
	assert_int_equal(fclose(fopen(path, "w")), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int make_files(void **state)
{
	static struct files files;

	(void)snprintf(files.folder, sizeof(files.folder), "/tmp/cotter-needs.XXXXXX");
	if (!mkdtemp(files.folder) || chmod(files.folder, 0755) < 0)
		return -1;
	(void)snprintf(files.module, sizeof(files.module), "%s/module.so", files.folder);
	(void)snprintf(files.pin, sizeof(files.pin), "%s/card.pin", files.folder);
	(void)snprintf(files.other, sizeof(files.other), "%s/other", files.folder);
	make_file(files.module, 0644);
	make_file(files.pin, 0600);
	make_file(files.other, 0600);
	*state = &files;
	return 0;
}

static int remove_files(void **state)
{
	const struct files *files = *state;

	(void)unlink(files->module);
	(void)unlink(files->pin);
	(void)unlink(files->other);
	return rmdir(files->folder);
}

/* Of a leaf that names these; `lines` NULL: it fails with `error`, and says `why`. */
static void assert_leaf(const char *module, const char *pin_source, const char *lines, int error,
			const char *why)
{
	char *facts, *text;

	assert_true(asprintf(&facts, "{\"token\":\"card\",\"module\":\"%s\",\"pin_source\":\"%s\"}",
			     module, pin_source) > 0);
	assert_int_equal(needs_run(needs_pkcs11, facts, &text), error);
	if (lines)
		assert_string_equal(text, lines);
	else if (!strstr(needs_cause, why))
		fail_msg("told \"%s\", without \"%s\"", needs_cause, why);
	free(text);
	free(facts);
}

static void test_leaf(void **state)
{
	const struct files *files = *state;
	char lines[256];

	(void)snprintf(lines, sizeof(lines), "module %s\n", files->module);
	assert_leaf(files->module, "the token", lines, 0, NULL);
	(void)snprintf(lines, sizeof(lines), "module %s\nsecret %s\n", files->module, files->pin);
	if (geteuid() == 0)
		assert_leaf(files->module, files->pin, lines, 0, NULL);
}

static void test_refused(void **state)
{
	const struct files *files = *state;

	assert_leaf("/nonexistent.so", "", NULL, -ENOENT, "is missing");
	assert_leaf(files->other, "", NULL, -EPERM, "not a file that everybody may read");
	assert_leaf(files->module, "/nonexistent.pin", NULL, -ENOENT, "is missing");
	assert_leaf(files->module, files->other, NULL, -EPERM, "ends in \".pin\"");
	assert_leaf(files->module, "/etc/shadow", NULL, -EPERM, "ends in \".pin\"");

	assert_int_equal(chmod(files->pin, 0640), 0);
	assert_leaf(files->module, files->pin, NULL, -EPERM, "the mode 0600");
	assert_int_equal(chmod(files->pin, 0600), 0);
	assert_int_equal(unlink(files->other), 0);
	assert_int_equal(symlink("card.pin", files->other), 0);
	assert_leaf(files->module, files->other, NULL, -EPERM, "is root's");

	assert_int_equal(chmod(files->module, 0666), 0);
	assert_leaf(files->module, "", NULL, -EPERM, "can be written to by others than root");
	assert_int_equal(chmod(files->module, 0644), 0);
	assert_int_equal(chmod(files->folder, 0777), 0);
	assert_leaf(files->module, "", NULL, -EPERM, "can be written to by others than root");
}

static int any(const struct needs *needs, const json_t *facts)
{
	(void)facts;
	return needs_any_pkcs11(needs);
}

/* SoftHSM is registered where it is installed. */
static void test_registered(void **state)
{
	char *text;

	(void)state;
	if (access("/usr/share/p11-kit/modules/softhsm2.module", F_OK) != 0)
		skip();
	assert_int_equal(needs_run(any, "{}", &text), 0);
	assert_non_null(strstr(text, "file /usr/share/p11-kit/modules/softhsm2.module\nmodule /"));
	free(text);
	assert_int_equal(needs_run(needs_pkcs11, "{}", &text), 0);
	assert_non_null(strstr(text, "libsofthsm2.so\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_relative_module),
		cmocka_unit_test_setup_teardown(test_leaf, make_files, remove_files),
		cmocka_unit_test_setup_teardown(test_refused, make_files, remove_files),
		cmocka_unit_test(test_registered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
