/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Credentials: a key file, a token, a person at a terminal, and what each is told on failure. */
#include "enroll/unlock.h"

#include "tests/unit/opened.h"
#include "tests/unit/terminal.h"

static struct opened o;
static char key_path[] = "/tmp/cotter-key-XXXXXX";

static int begin(void **state)
{
	int fd = mkstemp(key_path);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	opened_begin(&o);
	return luks_setup(false, NULL);
}

static int end(void **state)
{
	(void)state;
	opened_end(&o);
	return unlink(key_path);
}

static int forget(void **state)
{
	(void)state;
	opened_forget_lines(&o);
	return 0;
}

static void write_key(const char *text)
{
	FILE *f = fopen(key_path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void expect_unlocked(const struct options *options)
{
	struct buf key = {0};

	assert_int_equal(unlock(o.luks, options, &key), 0);
	assert_int_equal(crypt_volume_key_verify(o.luks->cd, (const char *)key.p, key.n), 0);
	buf_done(&key);
	assert_told("unlocked", &o.lines, NULL);
}

static void expect_locked(const struct options *options, int want, const char *words)
{
	struct buf key = {0};

	opened_forget_lines(&o);
	expect(words, unlock(o.luks, options, &key), want);
	assert_null(key.p);
	if (!strstr(o.lines.errors, words))
		fail_msg("told \"%s\", without \"%s\"", o.lines.errors, words);
}

static void test_possible(void **state)
{
	const struct options by_stdin = {.unlock_key_file = "-"};
	const struct options by_file = {.unlock_key_file = key_path};
	const struct options by_token = {.unlock_token = true};
	const struct options by_nothing = {.unlock_key_file = "/nonexistent/key"};

	(void)state;
	assert_int_equal(unlock_possible(&by_stdin, &o.lines.log), 0);
	assert_int_equal(unlock_possible(&by_file, &o.lines.log), 0);
	assert_int_equal(unlock_possible(&by_token, &o.lines.log), 0);
	assert_told("possible", &o.lines, NULL);
	assert_int_equal(unlock_possible(&by_nothing, &o.lines.log), -ENOENT);
	assert_told("impossible", &o.lines, "/nonexistent/key cannot be read: No such file");
}

static void test_key_file(void **state)
{
	const struct options options = {.unlock_key_file = key_path};

	(void)state;
	write_key(PASSPHRASE);
	expect_unlocked(&options);
	write_key(PASSPHRASE "\n");
	expect_locked(&options, -EPERM, "a newline at its end counts");
	assert_told("a newline", &o.lines, key_path);
	write_key("");
	expect_locked(&options, -EPERM, "opens no keyslot of");
}

static void test_standard_input(void **state)
{
	const struct options options = {.unlock_key_file = "-"};
	int before = dup(STDIN_FILENO);

	(void)state;
	write_key(PASSPHRASE);
	assert_non_null(freopen(key_path, "re", stdin));
	expect_unlocked(&options);
	write_key("wrong");
	assert_non_null(freopen(key_path, "re", stdin));
	expect_locked(&options, -EPERM, "the key on standard input opens no keyslot of /tmp/");
	(void)dup2(before, STDIN_FILENO);
	(void)close(before);
}

static void test_token(void **state)
{
	const struct options options = {.unlock_token = true};

	(void)state;
	expect_locked(&options, -ENOENT, "no token opens /tmp/");
	add_local(o.luks, 0, "{\"result\":110,\"words\":\"no answer\"}", 1, PASSPHRASE);
	expect_locked(&options, -EAGAIN, "Token 0 (cotter-local): local: no answer");
	assert_int_equal(o.lines.n_errors, 2);
	add_local(o.luks, 0, "{}", 1, "another secret");
	expect_locked(&options, -EPERM, "no token opens /tmp/");
	opened_forget_lines(&o);
	add_local(o.luks, 0, "{}", 1, PASSPHRASE);
	expect_unlocked(&options);
	add_token(o.luks, 0, NULL);
}

/* Asks, and shows what was logged; in a process of its own. */
static int by_passphrase(void)
{
	const struct options options = {0};
	struct buf key = {0};
	int r;

	r = unlock_possible(&options, &o.lines.log);
	if (r == 0)
		r = unlock(o.luks, &options, &key);
	if (r == 0 && crypt_volume_key_verify(o.luks->cd, (const char *)key.p, key.n) != 0)
		return 255;
	(void)!write(STDOUT_FILENO, o.lines.errors, strlen(o.lines.errors));
	return -r;
}

static void answer(struct terminal *t, const char *text)
{
	terminal_expect(t, "Passphrase of /tmp/");
	terminal_expect(t, ": ");
	terminal_type(t, text);
	terminal_type(t, "\n");
}

static void test_passphrase(void **state)
{
	struct terminal t;

	(void)state;
	terminal_start(&t, by_passphrase);
	answer(&t, PASSPHRASE);
	assert_int_equal(terminal_end(&t), 0);

	terminal_start(&t, by_passphrase);
	answer(&t, "wrong");
	terminal_expect(&t, "this passphrase opens no keyslot; try again");
	answer(&t, "");
	terminal_expect(&t, "this passphrase opens no keyslot; try again");
	answer(&t, PASSPHRASE);
	assert_int_equal(terminal_end(&t), 0);
	assert_null(strstr(t.shown, "wrong"));
}

static void test_no_passphrase(void **state)
{
	struct terminal t;

	(void)state;
	terminal_start(&t, by_passphrase);
	for (int i = 0; i < 3; i++)
		answer(&t, "wrong");
	terminal_expect(&t, "the passphrase opens no keyslot of /tmp/");
	assert_int_equal(terminal_end(&t), EPERM);

	terminal_start(&t, by_passphrase);
	terminal_expect(&t, "Passphrase of /tmp/");
	terminal_type(&t, "\004");
	terminal_expect(&t, "no passphrase was entered");
	assert_int_equal(terminal_end(&t), ECANCELED);
}

static int not_possible(void)
{
	int r = unlock_possible(&(const struct options){0}, &o.lines.log);

	return r == -ENOTTY && strstr(o.lines.errors, "give --unlock-key-file=FILE") ? 0 : 1;
}

static int not_asked(void)
{
	struct buf key = {0};
	int r = unlock(o.luks, &(const struct options){0}, &key);

	return r == -ENOTTY && strstr(o.lines.errors, "no passphrase was entered") ? 0 : 1;
}

static void test_no_terminal(void **state)
{
	(void)state;
	assert_int_equal(without_terminal(not_possible), 0);
	assert_int_equal(without_terminal(not_asked), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_possible, forget),
		cmocka_unit_test_setup(test_key_file, forget),
		cmocka_unit_test_setup(test_standard_input, forget),
		cmocka_unit_test_setup(test_token, forget),
		cmocka_unit_test_setup(test_passphrase, forget),
		cmocka_unit_test_setup(test_no_passphrase, forget),
		cmocka_unit_test_setup(test_no_terminal, forget),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
