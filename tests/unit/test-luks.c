/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes through libcryptsetup: what is refused, what is read, what opens, what is removed. */
#include "enroll/luks.h"

#include "tests/unit/opened.h"

#include <dlfcn.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct opened o;
static char folder[] = "/tmp/cotter-luks-XXXXXX";

/* `name` in the folder; good until the next call but seven. */
static const char *in_folder(const char *name)
{
	static char paths[8][sizeof(folder) + 32];
	static unsigned next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *path, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* libcryptsetup takes each type once a process, so each call has a process of its own. */
static int set_up_in_a_process(bool twice, bool others)
{
	pid_t child = fork();
	int status, r;

	assert_true(child >= 0);
	if (child == 0) {
		r = luks_setup(others, NULL);
		if (r == 0 && twice)
			r = luks_setup(others, &o.lines.log) + (o.lines.n_errors == 1 ? 0 : 100);
		else if (r == 0)
			r = (crypt_token_external_path() != NULL) == others ? 0 : -99;
		_exit(-r);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static int begin(void **state)
{
	(void)state;
	(void)lines_begin(&o.lines);
	expect("with other plugins", set_up_in_a_process(false, true), 0);
	expect("without", set_up_in_a_process(false, false), 0);
	expect("twice", set_up_in_a_process(true, false), -EIO);

	assert_non_null(mkdtemp(folder));
	return luks_setup(false, NULL);
}

static int end(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int make_volume(void **state)
{
	(void)state;
	opened_begin(&o);
	local_decrypts = 0;
	return 0;
}

static int drop_volume(void **state)
{
	(void)state;
	opened_end(&o);
	return 0;
}

static void expect_refused_open(const char *device, const char *header, bool to_write, int want,
				const char *words)
{
	struct luks *luks = (struct luks *)&o;

	expect(device, luks_open(device, header, to_write, lines_begin(&o.lines), &luks), want);
	assert_ptr_equal(luks, &o);
	assert_told(device, &o.lines, words);
}

/* What is no volume, and which words that has. */
static void test_not_luks2(void **state)
{
	static const char *const names[] = {"empty", "short", "zeros", "fifo"};
	static const uint8_t zeros[4096];

	(void)state;
	write_file(in_folder("empty"), "", 0);
	write_file(in_folder("short"), "LUKS\xba\xbe", 6);
	write_file(in_folder("zeros"), zeros, sizeof(zeros));
	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);

	expect_refused_open(in_folder("none"), NULL, false, -ENOENT, "/none does not exist");
	expect_refused_open(in_folder("none"), NULL, true, -ENOENT, "/none does not exist");
	expect_refused_open("", NULL, false, -ENOENT, "does not exist");
	expect_refused_open(folder, NULL, false, -EINVAL, "neither a block device nor a file");
	expect_refused_open(folder, NULL, true, -EINVAL, "neither a block device nor a file");
	expect_refused_open("/dev/null", NULL, false, -EINVAL, "neither a block device nor a");
	expect_refused_open(in_folder("fifo"), NULL, false, -EINVAL, "neither a block device");
	expect_refused_open(in_folder("zeros/x"), NULL, false, -EACCES, "cannot be opened: Not a");
	for (size_t i = 0; i < ARRAY_SIZE(names) - 1; i++)
		expect_refused_open(in_folder(names[i]), NULL, true, -EMEDIUMTYPE,
				    "is not a LUKS volume");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(unlink(in_folder(names[i])), 0);
}

static void test_luks1(void **state)
{
	struct crypt_params_luks1 params = {.hash = "sha256"};
	struct crypt_device *cd;
	int fd = open(in_folder("luks1"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_int_equal(ftruncate(fd, VOLUME_SIZE), 0);
	(void)close(fd);
	assert_int_equal(crypt_init(&cd, in_folder("luks1")), 0);
	assert_int_equal(crypt_set_pbkdf_type(cd, &opened_pbkdf), 0);
	assert_int_equal(
		crypt_format(cd, CRYPT_LUKS1, "aes", "xts-plain64", NULL, NULL, 32, &params), 0);
	crypt_free(cd);
	expect_refused_open(in_folder("luks1"), NULL, false, -EMEDIUMTYPE,
			    "is LUKS1, which holds no");
	assert_int_equal(unlink(in_folder("luks1")), 0);
}

/* Both copies of the header damaged behind the magic. */
static void test_damaged(void **state)
{
	int fd = open(o.volume.path, O_RDWR | O_CLOEXEC);

	(void)state;
	for (off_t at = LUKS2_CHECKSUM_AT; at < 0x8000; at += 0x4000) {
		uint8_t byte;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 0xff;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	(void)close(fd);
	expect_refused_open(o.volume.path, NULL, false, -EINVAL, "see cryptsetup-repair(8)");
	assert_non_null(strstr(o.lines.errors, "the LUKS2 header of /tmp/"));
}

/* Root may do everything, so it becomes nobody for this. */
static void test_not_allowed(void **state)
{
	bool root = geteuid() == 0;

	(void)state;
	if (root)
		assert_int_equal(seteuid(65534), 0);
	if (!root)
		assert_int_equal(chmod(o.volume.path, 0), 0);
	expect_refused_open(o.volume.path, NULL, false, -EACCES, "cannot be opened: Permission");
	expect_refused_open(o.volume.path, NULL, true, -EROFS,
			    "is read-only for this user, so its header cannot be changed");
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(o.volume.path, 0444), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	expect_refused_open(o.volume.path, NULL, true, -EROFS, "is read-only for this user");
	if (root)
		assert_int_equal(seteuid(0), 0);
}

/* No file number is left for libcryptsetup. */
static void test_no_descriptor(void **state)
{
	struct rlimit before, few;
	int next = dup(STDERR_FILENO);

	(void)state;
	(void)close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)next + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	expect_refused_open(o.volume.path, NULL, false, -EIO, "cannot be used: ");
	few.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	expect_refused_open(o.volume.path, NULL, false, -EACCES, "cannot be opened: Too many");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void test_header_apart(void **state)
{
	static const uint8_t data[64 * 1024];
	struct luks *luks = NULL;

	(void)state;
	write_file(in_folder("data"), data, sizeof(data));
	expect_refused_open(in_folder("none"), o.volume.path, false, -ENOENT,
			    "/none does not exist");
	expect_refused_open(in_folder("data"), in_folder("none"), false, -ENOENT,
			    "/none does not exist");
	expect_refused_open(in_folder("data"), in_folder("data"), false, -EMEDIUMTYPE,
			    "/data is not a LUKS volume");

	assert_int_equal(luks_open(in_folder("data"), o.volume.path, true, &o.lines.log, &luks), 0);
	assert_string_equal(luks->name, o.volume.path);
	assert_string_equal(luks_uuid(luks), luks_uuid(o.luks));
	luks = luks_free(luks);
	assert_null(luks);
	assert_null(luks_free(NULL));
	assert_int_equal(unlink(in_folder("data")), 0);
}

static void test_keep_log(void **state)
{
	char text[2 * LOG_LINE_MAX];

	(void)state;
	assert_string_equal(luks_cause(o.luks, -ENOSPC), strerror(ENOSPC));
	luks_keep_log(CRYPT_LOG_NORMAL, "normal", o.luks);
	luks_keep_log(CRYPT_LOG_VERBOSE, "verbose", o.luks);
	luks_keep_log(CRYPT_LOG_DEBUG, "debug", o.luks);
	assert_string_equal(o.luks->said, "");
	luks_keep_log(CRYPT_LOG_ERROR, "It failed.\n", o.luks);
	assert_string_equal(luks_cause(o.luks, -ENOSPC), "It failed");
	luks_keep_log(CRYPT_LOG_ERROR, "\n", o.luks);
	luks_keep_log(CRYPT_LOG_ERROR, "", o.luks);
	assert_string_equal(luks_cause(o.luks, -EIO), strerror(EIO));
	assert_told("kept", &o.lines, NULL);

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	luks_keep_log(CRYPT_LOG_ERROR, text, o.luks);
	assert_int_equal(strlen(o.luks->said), LOG_LINE_MAX - 1);

	o.luks->forward = true;
	luks_keep_log(CRYPT_LOG_ERROR, "It failed.\n", o.luks);
	assert_string_equal(o.lines.errors, "It failed.\n");
}

static void test_header(void **state)
{
	const char *type = (const char *)&o, *json = (const char *)&o;

	(void)state;
	add_keyslot(o.luks, 4, "secret");
	add_unbound_keyslot(o.luks, 31, "other");
	assert_int_equal(luks_keyslot(o.luks, 0), LUKS_KEYSLOT_ACTIVE);
	assert_int_equal(luks_keyslot(o.luks, 4), LUKS_KEYSLOT_ACTIVE);
	assert_int_equal(luks_keyslot(o.luks, 31), LUKS_KEYSLOT_UNBOUND);
	assert_int_equal(luks_keyslot(o.luks, 1), LUKS_KEYSLOT_FREE);
	assert_int_equal(luks_keyslot(o.luks, 32), LUKS_KEYSLOT_FREE);

	assert_int_equal(luks_token(o.luks, 3, &type, &json), -ENOENT);
	assert_int_equal(luks_token(o.luks, 32, &type, &json), -ENOENT);
	assert_ptr_equal(type, &o);
	assert_ptr_equal(json, &o);
	add_token(o.luks, 3, "{\"type\":\"foreign\",\"keyslots\":[\"4\",\"31\"]}");
	add_local(o.luks, 5, "{}", 0, "secret");
	assert_int_equal(luks_token(o.luks, 3, &type, &json), 0);
	assert_string_equal(type, "foreign");
	assert_non_null(strstr(json, "\"31\""));
	assert_int_equal(luks_token(o.luks, 5, &type, &json), 0);
	assert_string_equal(type, "cotter-local");

	assert_int_equal(luks_token_keyslots(o.luks, 3), 1 << 4 | UINT32_C(1) << 31);
	assert_int_equal(luks_token_keyslots(o.luks, 5), 0);
	assert_int_equal(luks_token_keyslots(o.luks, 6), 0);
}

static void test_null_cipher(void **state)
{
	static const struct {
		const char *section, *cipher;
		bool data, keyslot;
	} cases[] = {
		{"\"segments\"", "cipher_null-ecb", true, false},
		{"\"keyslots\"", "cipher_null-ecb", false, true},
		{"\"segments\"", "capi:ecb(cipher_null)-plain64", true, false},
		{"\"keyslots\"", "capi:ecb(cipher_null)-plain64", false, true},
	};

	(void)state;
	assert_false(luks_null_cipher(o.luks, LUKS_ANY));
	assert_false(luks_null_cipher(o.luks, 0));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		opened_end(&o);
		opened_begin(&o);
		o.luks = luks_free(o.luks);
		volume_forge(&o.volume, cases[i].section, "aes-xts-plain64", cases[i].cipher);
		if (luks_open(o.volume.path, NULL, true, &o.lines.log, &o.luks) < 0)
			continue; /* libcryptsetup does not even read it */
		expect(cases[i].cipher, luks_null_cipher(o.luks, LUKS_ANY), cases[i].data);
		expect(cases[i].cipher, luks_null_cipher(o.luks, 0), cases[i].keyslot);
	}
}

static void test_passphrase(void **state)
{
	struct buf key = {0};

	(void)state;
	assert_int_equal(luks_unlock_by_passphrase(o.luks, ref_str(PASSPHRASE), &key), 0);
	assert_int_equal(key.n, VOLUME_KEY_SIZE);
	assert_int_equal(crypt_volume_key_verify(o.luks->cd, (const char *)key.p, key.n), 0);
	buf_done(&key);
	assert_int_equal(luks_unlock_by_passphrase(o.luks, ref_str(PASSPHRASE "\n"), &key), -EPERM);
	assert_int_equal(luks_unlock_by_passphrase(o.luks, ref_str(""), &key), -EPERM);
	assert_null(key.p);

	/* what opens a key that is not the volume's */
	add_unbound_keyslot(o.luks, 3, "other");
	assert_int_equal(luks_unlock_by_passphrase(o.luks, ref_str("other"), &key), -EPERM);
	assert_int_equal(luks_remove_keyslot(o.luks, 0), 0);
	assert_int_equal(luks_unlock_by_passphrase(o.luks, ref_str(PASSPHRASE), &key), -EPERM);
	assert_null(key.p);
	assert_told("passphrases", &o.lines, NULL);
}

/* A volume whose file went away meanwhile. */
static void test_io_errors(void **state)
{
	struct buf key = {0};

	(void)state;
	assert_int_equal(unlink(o.volume.path), 0);
	assert_int_equal(luks_unlock_by_passphrase(o.luks, ref_str(PASSPHRASE), &key), -EIO);
	assert_told("passphrase", &o.lines, "could not be unlocked: ");
	assert_null(key.p);

	opened_forget_lines(&o);
	assert_int_equal(luks_remove_keyslot(o.luks, 0), -EIO);
	assert_told("keyslot", &o.lines, "keyslot 0 of /tmp/");
	opened_forget_lines(&o);
	assert_int_equal(luks_remove_token(o.luks, 0), -EIO);
	assert_told("token", &o.lines, "token 0 of /tmp/");
	assert_int_equal(luks_keyslot_opens(o.luks, 0, ref_str(PASSPHRASE)), -EPERM);
}

static void test_key_file(void **state)
{
	static const char binary[] = "a\0b\n";
	struct buf key = {0};
	int input, before, ends[2];

	(void)state;
	assert_int_equal(crypt_keyslot_add_by_passphrase(o.luks->cd, 1, PASSPHRASE,
							 strlen(PASSPHRASE), binary,
							 sizeof(binary) - 1),
			 1);
	write_file(in_folder("key"), binary, sizeof(binary) - 1);
	assert_int_equal(luks_unlock_by_key_file(o.luks, in_folder("key"), &key), 0);
	assert_int_equal(key.n, VOLUME_KEY_SIZE);
	buf_done(&key);

	before = dup(STDIN_FILENO);
	input = open(in_folder("key"), O_RDONLY | O_CLOEXEC);
	(void)dup2(input, STDIN_FILENO);
	(void)close(input);
	assert_int_equal(luks_unlock_by_key_file(o.luks, "-", &key), 0);
	(void)dup2(before, STDIN_FILENO);
	(void)close(before);
	buf_done(&key);

	/* a file and a pipe in which there is nothing */
	assert_int_equal(crypt_keyslot_add_by_passphrase(o.luks->cd, 2, PASSPHRASE,
							 strlen(PASSPHRASE), "", 0),
			 2);
	write_file(in_folder("key"), "", 0);
	assert_int_equal(luks_unlock_by_key_file(o.luks, in_folder("key"), &key), 0);
	buf_done(&key);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	(void)close(ends[1]);
	before = dup(STDIN_FILENO);
	(void)dup2(ends[0], STDIN_FILENO);
	(void)close(ends[0]);
	assert_int_equal(luks_unlock_by_key_file(o.luks, "-", &key), 0);
	(void)dup2(before, STDIN_FILENO);
	(void)close(before);
	buf_done(&key);
	assert_int_equal(luks_remove_keyslot(o.luks, 2), 0);
	assert_int_equal(luks_unlock_by_key_file(o.luks, in_folder("key"), &key), -EPERM);

	write_file(in_folder("key"), binary, sizeof(binary) - 2);
	assert_int_equal(luks_unlock_by_key_file(o.luks, in_folder("key"), &key), -EPERM);
	write_file(in_folder("key"), PASSPHRASE "\n", strlen(PASSPHRASE) + 1);
	assert_int_equal(luks_unlock_by_key_file(o.luks, in_folder("key"), &key), -EPERM);
	assert_told("key files", &o.lines, NULL);

	expect("a folder", luks_unlock_by_key_file(o.luks, folder, &key), -EIO);
	assert_told("a folder", &o.lines, "the key file /tmp/");
	opened_forget_lines(&o);
	expect("none", luks_unlock_by_key_file(o.luks, in_folder("none"), &key), -EIO);
	assert_told("none", &o.lines, "/none cannot be read: ");
	assert_null(key.p);
	assert_int_equal(unlink(in_folder("key")), 0);
}

static void test_token(void **state)
{
	static const struct {
		int result, want;
	} cases[] = {{ETIMEDOUT, -EAGAIN}, {ECONNREFUSED, -EAGAIN}, {EKEYREJECTED, -ENOENT}};
	struct buf key = {0};

	(void)state;
	expect("without tokens", luks_unlock_by_token(o.luks, (struct ref){0}, &key), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char config[64];

		(void)snprintf(config, sizeof(config), "{\"result\":%d,\"words\":\"no luck\"}",
			       cases[i].result);
		add_local(o.luks, 0, config, 1, PASSPHRASE);
		opened_forget_lines(&o);
		expect("one that fails", luks_unlock_by_token(o.luks, (struct ref){0}, &key),
		       cases[i].want);
		assert_told("why", &o.lines, "Token 0 (cotter-local): local: no luck");
		assert_null(key.p);
	}

	add_local(o.luks, 1, "{}", 1, PASSPHRASE);
	assert_int_equal(luks_unlock_by_token(o.luks, (struct ref){0}, &key), 0);
	assert_int_equal(crypt_volume_key_verify(o.luks->cd, (const char *)key.p, key.n), 0);
	buf_done(&key);
	assert_false(o.luks->forward);

	assert_int_equal(luks_remove_token(o.luks, 0), 0);
	add_local(o.luks, 1, "{}", 1, "another secret");
	expect("a wrong secret", luks_unlock_by_token(o.luks, (struct ref){0}, &key), -EPERM);
	assert_null(key.p);
}

static void test_keyslot_opens(void **state)
{
	(void)state;
	add_keyslot(o.luks, 2, "secret");
	add_unbound_keyslot(o.luks, 3, "other");
	add_local(o.luks, 0, "{}", 1 << 2, "secret");
	assert_int_equal(luks_keyslot_opens(o.luks, 2, ref_str("secret")), 0);
	assert_int_equal(luks_keyslot_opens(o.luks, 0, ref_str("secret")), -EPERM);
	assert_int_equal(luks_keyslot_opens(o.luks, 2, ref_str(PASSPHRASE)), -EPERM);
	assert_int_equal(luks_keyslot_opens(o.luks, 9, ref_str("secret")), -EPERM);
	assert_int_equal(luks_keyslot_opens(o.luks, 3, ref_str("other")), -EPERM);
	assert_int_equal(local_decrypts, 0);
	assert_told("keyslots", &o.lines, NULL);
}

static void test_remove(void **state)
{
	const char *type, *json;

	(void)state;
	add_keyslot(o.luks, 2, "secret");
	add_local(o.luks, 0, "{}", 1 << 2, "secret");
	assert_int_equal(luks_remove_keyslot(o.luks, 2), 0);
	assert_int_equal(luks_keyslot(o.luks, 2), LUKS_KEYSLOT_FREE);
	assert_int_equal(luks_token_keyslots(o.luks, 0), 0);
	assert_int_equal(luks_remove_token(o.luks, 0), 0);
	assert_int_equal(luks_token(o.luks, 0, &type, &json), -ENOENT);
	assert_told("removed", &o.lines, NULL);

	assert_int_equal(luks_remove_keyslot(o.luks, 2), -EIO);
	assert_told("not there", &o.lines, "keyslot 2 of /tmp/");
	opened_forget_lines(&o);
	assert_int_equal(luks_remove_token(o.luks, 99), -EIO);
	assert_told("no number", &o.lines, "token 99 of /tmp/");
}

/* How many of the next tokens are written as json-c without memory reads them: without their last member. */
static int shortened;

int crypt_token_json_set(struct crypt_device *cd, int token, const char *json)
{
	int (*set)(struct crypt_device *, int, const char *);
	CLEANUP_JSON json_t *less = NULL;
	char *text = NULL;
	int r;

	*(void **)&set = dlsym(RTLD_NEXT, __func__);
	if (!json || shortened == 0)
		return set(cd, token, json);
	shortened--;
	less = json_of(json);
	assert_int_equal(json_object_del(less, "label"), 0);
	assert_int_equal(js_dump(less, &text), 0);
	r = set(cd, token, text);
	free(text);
	return r;
}

/* What it returns where there is no memory to overwrite the keyslot with. */
static bool no_memory;

int crypt_keyslot_destroy(struct crypt_device *cd, int keyslot)
{
	int (*destroy)(struct crypt_device *, int);

	*(void **)&destroy = dlsym(RTLD_NEXT, __func__);
	return no_memory ? ENOMEM : destroy(cd, keyslot);
}

static void expect_token(unsigned token, const char *text)
{
	const char *type, *json;

	assert_int_equal(luks_token(o.luks, token, &type, &json), text ? 0 : -ENOENT);
	if (text)
		assert_string_equal(json, text);
}

/* The second try helps; else a new one is gone, and an old one no success. */
static void test_set_token(void **state)
{
	static const char old[] = "{\"type\":\"t\",\"keyslots\":[],\"label\":\"a\"}",
			  new[] = "{\"type\":\"t\",\"keyslots\":[],\"label\":\"b\"}",
			  spaced[] = "{ \"label\": \"c/\", \"type\": \"t\", \"keyslots\": [] }";

	(void)state;
	for (int less = 0; less < 2; less++) {
		shortened = less;
		assert_int_equal(luks_set_token(o.luks, LUKS_ANY, old), 0);
		expect_token(0, old);
		expect_token(1, NULL);
		shortened = less;
		assert_int_equal(luks_set_token(o.luks, 0, new), 0);
		expect_token(0, new);
		assert_int_equal(luks_set_token(o.luks, 0, spaced), 0);
		assert_int_equal(luks_remove_token(o.luks, 0), 0);
	}

	shortened = 2;
	assert_int_equal(luks_set_token(o.luks, LUKS_ANY, old), -ENOMEM);
	assert_int_equal(shortened, 0);
	expect_token(0, NULL);
	add_token(o.luks, 0, old);
	shortened = 2;
	assert_int_equal(luks_set_token(o.luks, 0, new), -ENOMEM);
	assert_int_equal(luks_set_token(o.luks, 0, new), 0);
	expect_token(0, new);
	assert_true(luks_set_token(o.luks, 99, new) < 0);
}

static void test_remove_without_memory(void **state)
{
	(void)state;
	no_memory = true;
	assert_int_equal(luks_remove_keyslot(o.luks, 0), -EIO);
	no_memory = false;
	assert_told("no memory", &o.lines, "could not be removed: Cannot allocate memory");
	assert_int_equal(luks_keyslot_opens(o.luks, 0, ref_str(PASSPHRASE)), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_luks2),
		cmocka_unit_test(test_luks1),
		cmocka_unit_test_setup_teardown(test_damaged, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_not_allowed, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_no_descriptor, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_header_apart, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_keep_log, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_header, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_null_cipher, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_passphrase, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_io_errors, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_key_file, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_token, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_keyslot_opens, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_remove, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_remove_without_memory, make_volume,
						drop_volume),
		cmocka_unit_test_setup_teardown(test_set_token, make_volume, drop_volume),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
