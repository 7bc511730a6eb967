/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our handlers in the real libcryptsetup, registered in this process. */
#include "tests/unit/volume.h"

#include "tests/unit/local.h"

#define SECRET "the secret of this test"

enum { TOKEN = 7, SLOT = 2 };

const struct pin *const pins[] = {&pin_local, NULL};

static int open_token(struct crypt_device *cd, int token, char **ret, size_t *ret_len, void *usrptr)
{
	assert_null(usrptr);
	return handler_open(cd, token, 0, ret, ret_len);
}

static struct volume volume, nowhere;

static int begin(void **state)
{
	static const crypt_token_handler handler = {
		.name = "cotter-local",
		.open = open_token,
		.buffer_free = handler_buffer_free,
		.validate = handler_validate,
		.dump = handler_dump,
	};

	(void)state;
	crypt_token_external_disable();
	crypt_set_debug_level(CRYPT_DEBUG_ALL);
	crypt_set_log_callback(NULL, volume_log, &nowhere);
	return crypt_token_register(&handler);
}

static int make_volume(void **state)
{
	(void)state;
	volume_make(&volume, SLOT, SECRET);
	local_decrypts = 0;
	return 0;
}

static int drop_volume(void **state)
{
	(void)state;
	volume_done(&volume);
	return 0;
}

static char *failing_token(int result)
{
	char config[64];

	(void)snprintf(config, sizeof(config), "{\"result\":%d,\"words\":\"no luck\"}", result);
	return local_token(config, SLOT, SECRET);
}

static int activate(int token)
{
	return crypt_activate_by_token_pin(volume.cd, NULL, NULL, token, NULL, 0, NULL, 0);
}

/* For every errno, and for what is none. */
static void test_errno(void **state)
{
	static const int again[] = {EAGAIN,      ENODEV,       ETIMEDOUT,
				    ENETUNREACH, EHOSTUNREACH, ECONNREFUSED};
	static const int denied[] = {EBADMSG, EPROTO, EKEYREJECTED, EOPNOTSUPP, E2BIG, ENOMEM,
				     EIO,     EINVAL, EPERM,        EACCES,     ENOENT};

	(void)state;
	for (int e = 1; e <= 4095; e++) {
		int r = token_errno(-e);

		if (r != -ENOENT && r != -EAGAIN && r != -ENOANO)
			fail_msg("-%d becomes %d", e, r);
		expect("ENOANO", r == -ENOANO, e == ENOANO);
		expect("a positive value", token_errno(e), -ENOENT);
	}
	for (size_t i = 0; i < ARRAY_SIZE(again); i++)
		expect(strerror(again[i]), token_errno(-again[i]), -EAGAIN);
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
		expect(strerror(denied[i]), token_errno(-denied[i]), -ENOENT);
	expect("success", token_errno(0), 0);
	expect("the least", token_errno(INT32_MIN), -ENOENT);
	expect("the most", token_errno(INT32_MAX), -ENOENT);
}

static void test_open(void **state)
{
	char *secret = NULL;
	size_t len = 0;

	(void)state;
	volume_add_token(&volume, TOKEN, local_token("{}", SLOT, SECRET));
	expect("open", handler_open(volume.cd, TOKEN, 0, &secret, &len), 0);
	assert_int_equal(len, strlen(SECRET));
	assert_memory_equal(secret, SECRET, len);
	handler_buffer_free(secret, len);
	handler_buffer_free(NULL, 0);

	expect("by number", activate(TOKEN), SLOT);
	expect("any", activate(CRYPT_ANY_TOKEN), SLOT);
	assert_int_equal(volume_load(&volume), 0);
	expect("in a fresh context", activate(CRYPT_ANY_TOKEN), SLOT);
	assert_string_equal(volume.errors, "");
	assert_string_equal(volume.normal, "");
}

/* What a failed recovery becomes, and the one line about it. */
static void test_failures(void **state)
{
	static const struct {
		int result, want;
	} cases[] = {
		{ETIMEDOUT, -EAGAIN},    {ECONNREFUSED, -EAGAIN}, {ENETUNREACH, -EAGAIN},
		{EHOSTUNREACH, -EAGAIN}, {ENODEV, -EAGAIN},       {EBADMSG, -ENOENT},
		{EPROTO, -ENOENT},       {EKEYREJECTED, -ENOENT}, {EIO, -ENOENT},
		{ENOMEM, -ENOENT},       {ENOANO, -ENOANO},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool told = cases[i].result != ENOANO; /* that a PIN is wanted is no failure */
		char *secret = (char *)&volume;
		size_t len = 99;

		volume_add_token(&volume, TOKEN, failing_token(cases[i].result));
		expect(strerror(cases[i].result), handler_open(volume.cd, TOKEN, 0, &secret, &len),
		       cases[i].want);
		assert_ptr_equal(secret, &volume);
		assert_int_equal(len, 99);
		assert_int_equal(volume.n_errors, told);
		assert_int_equal(!strstr(volume.errors, "Token 7 (cotter-local): local: no luck"),
				 !told);
		assert_string_equal(volume.normal, "");
		assert_true(volume.n_token_debug > 0);

		expect(strerror(cases[i].result), activate(TOKEN), cases[i].want);
		assert_int_equal(crypt_token_json_set(volume.cd, TOKEN, NULL), TOKEN);
	}
}

/* However tokens fail, the next one is tried, and the last opens the volume. */
static void test_next_token(void **state)
{
	static const int errors[] = {EPERM,     ENOENT,       EIO,        EAGAIN,
				     ENOMEM,    EACCES,       EINVAL,     ENOANO,
				     ETIMEDOUT, EHOSTUNREACH, EOPNOTSUPP, EKEYREJECTED};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		volume_add_token(&volume, (int)i, failing_token(errors[i]));
	volume_add_token(&volume, ARRAY_SIZE(errors), local_token("{}", SLOT, SECRET));
	expect("the last one", activate(CRYPT_ANY_TOKEN), SLOT);
	assert_int_equal(local_decrypts, ARRAY_SIZE(errors) + 1);
	assert_int_equal(volume.n_errors, ARRAY_SIZE(errors) - 1); /* ENOANO is none */
	assert_non_null(strstr(volume.errors, "Token 11 (cotter-local): local: no luck"));
}

/* A secret that opens no keyslot: libcryptsetup's own word for it, and no crash on the way. */
static void test_wrong_secret(void **state)
{
	(void)state;
	volume_add_token(&volume, TOKEN, local_token("{}", SLOT, "another secret"));
	expect("wrong", activate(TOKEN), -EPERM);
	assert_string_equal(volume.normal, "");
}

static void test_max_time(void **state)
{
	uint64_t began;
	char *secret;
	size_t len;

	(void)state;
	volume_add_token(&volume, TOKEN, local_token("{\"pending\":true}", SLOT, SECRET));
	began = now_us();
	expect("late", handler_open(volume.cd, TOKEN, 50 * USEC_PER_MSEC, &secret, &len), -EAGAIN);
	assert_in_range(now_us() - began, 50 * USEC_PER_MSEC, 5 * USEC_PER_SEC);
	assert_non_null(strstr(volume.errors, "Token 7 (cotter-local): local: it was too late"));
}

static void test_no_such_token(void **state)
{
	char *secret;
	size_t len;

	(void)state;
	volume_add_token(&volume, 3, strdup("{\"type\":\"foreign\",\"keyslots\":[]}"));
	expect("not there", handler_open(volume.cd, TOKEN, 0, &secret, &len), -ENOENT);
	assert_non_null(strstr(volume.errors, "Token 7 "));
	volume_forget_lines(&volume);
	expect("foreign", handler_open(volume.cd, 3, 0, &secret, &len), -ENOENT);
	assert_non_null(strstr(volume.errors, "Token 3 (foreign): "));
	expect("no number", handler_open(volume.cd, 32, 0, &secret, &len), -ENOENT);
	expect("no number", handler_open(volume.cd, -1, 0, &secret, &len), -ENOENT);
}

/* Checked without being tried; libcryptsetup takes no JSON that is refused. */
static void test_validate(void **state)
{
	static const char *const refused[] = {
		"",
		"{}",
		"[]",
		"token",
		"{\"type\":\"cotter-local\",\"keyslots\":[]}",
		"{\"type\":\"cotter-local\",\"keyslots\":[],\"jwe\":{}}",
		"{\"type\":\"cotter-tang\",\"keyslots\":[],\"jwe\":\"e30..AAAA.AAAA.AAAA\"}",
	};
	char *good = local_token("{\"result\":5,\"words\":\"tried\"}", SLOT, SECRET);

	(void)state;
	expect("good", handler_validate(volume.cd, good), 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		expect(refused[i], handler_validate(volume.cd, refused[i]), -EINVAL);
	for (size_t i = 4; i < ARRAY_SIZE(refused); i++)
		assert_true(i == 6 || crypt_token_json_set(volume.cd, TOKEN, refused[i]) < 0);
	assert_int_equal(crypt_token_status(volume.cd, TOKEN, NULL), CRYPT_TOKEN_INACTIVE);
	assert_int_equal(local_decrypts, 0);
	assert_string_equal(volume.normal, "");
	volume_add_token(&volume, TOKEN, good);
}

static void test_dump(void **state)
{
	static const char *const words[] = {"here", "one", "two", "the disk", "60"};
	CLEANUP_JSON json_t *json = NULL;
	char *text = local_token("{}", SLOT, SECRET);

	(void)state;
	json = json_of(text);
	free(text);
	change(json, "cotter.label", "\"the disk\"");
	change(json, "cotter.deadline", "60");
	assert_int_equal(js_dump(json, &text), 0);
	handler_dump(volume.cd, text);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strstr(volume.normal, words[i]))
			fail_msg("no \"%s\" in: %s", words[i], volume.normal);
	assert_null(strstr(volume.normal, SECRET));

	volume_add_token(&volume, TOKEN, text);
	assert_int_equal(crypt_dump(volume.cd), 0);
	assert_non_null(strstr(volume.normal, "cotter-local"));
	assert_non_null(strstr(volume.normal, "the disk"));

	volume_forget_lines(&volume);
	handler_dump(volume.cd, "{\"type\":\"cotter-local\"}");
	assert_non_null(strstr(volume.normal, "malformed"));
	assert_int_equal(local_decrypts, 0);
}

/* A header that someone wrote so that the volume is not encrypted at all. */
static void test_null_cipher(void **state)
{
	static const struct {
		const char *section, *cipher;
	} cases[] = {
		{"\"segments\"", "cipher_null-ecb"},
		{"\"keyslots\"", "cipher_null-ecb"},
		{"\"segments\"", "capi:ecb(cipher_null)-plain64"},
		{"\"keyslots\"", "capi:ecb(cipher_null)-plain64"},
	};

	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *secret;
		size_t len;

		volume_done(&volume);
		volume_make(&volume, SLOT, SECRET);
		volume_add_token(&volume, TOKEN, local_token("{}", SLOT, SECRET));
		volume_forge(&volume, cases[i].section, "aes-xts-plain64", cases[i].cipher);
		if (volume_load(&volume) < 0)
			continue; /* a libcryptsetup that does not even read it */
		tried++;

		volume_forget_lines(&volume);
		expect(cases[i].cipher, handler_open(volume.cd, TOKEN, 0, &secret, &len), -ENOENT);
		assert_int_equal(volume.n_errors, 1);
		assert_non_null(strstr(volume.errors, "Token 7 (cotter-local): "));
		assert_non_null(strstr(volume.errors, "null cipher"));
		assert_int_equal(local_decrypts, 0);
		assert_true(activate(CRYPT_ANY_TOKEN) < 0);
	}
	if (tried == 0)
		skip();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errno),
		cmocka_unit_test_setup_teardown(test_open, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_failures, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_next_token, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_wrong_secret, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_max_time, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_no_such_token, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_validate, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_dump, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_null_cipher, make_volume, drop_volume),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
