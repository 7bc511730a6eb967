/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trying tokens: which failures pass by themselves, and which keyslots a secret opens. */
#include "enroll/trial.h"

#include "tests/unit/opened.h"

#include <signal.h>
#include <sys/time.h>

static struct opened o;
static struct inventory inventory;

static int begin(void **state)
{
	(void)state;
	opened_begin(&o);
	add_token(o.luks, 3, "{\"type\":\"cotter-local\",\"keyslots\":[\"0\"]}");
	return luks_setup(false, NULL);
}

static int end(void **state)
{
	(void)state;
	opened_end(&o);
	return 0;
}

static int end_test(void **state)
{
	(void)state;
	inventory_done(&inventory);
	return 0;
}

static struct token parsed(const char *config)
{
	char *text = local_token(config, 1, "the secret");
	struct token token = {0};

	assert_int_equal(token_parse(ref_str(text), NULL, &token), 0);
	free(text);
	return token;
}

/* Tries token `id` of the header as it is now; good until the next call. */
static const struct trial *tried(unsigned id)
{
	static struct trial trial;

	inventory_done(&inventory);
	assert_int_equal(inventory_read(o.luks, &inventory), 0);
	assert_non_null(inventory_find(&inventory, id));
	trial_run(o.luks, inventory_find(&inventory, id), (struct ref){0}, &trial);
	assert_told("trial", &o.lines, NULL);
	assert_in_range(trial.took_us, 0, 60 * USEC_PER_SEC);
	return &trial;
}

static void test_recover(void **state)
{
	struct token token = parsed("{}");
	struct buf secret = {0};
	struct trial trial = {0};

	(void)state;
	assert_int_equal(trial_recover(&token, (struct ref){0}, &trial, &secret), 0);
	assert_int_equal(trial.result, TRIAL_OPENS);
	assert_string_equal(trial.why, "");
	assert_ref_is(buf_ref(&secret), "the secret");
	buf_done(&secret);
	trial_done(&trial);
	token_done(&token);
}

static void test_errors(void **state)
{
	static const int away[] = {ENETUNREACH, EHOSTUNREACH, ECONNREFUSED,
				   ETIMEDOUT,   ENODEV,       EINTR};

	(void)state;
	for (int e = 1; e < 134; e++) {
		struct buf secret = {0};
		struct trial trial = {0};
		struct token token;
		char config[64];
		bool passes = false;

		if (e == EINPROGRESS || e == ENOANO)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(away); i++)
			passes |= away[i] == e;
		(void)snprintf(config, sizeof(config), "{\"result\":%d,\"words\":\"no luck\"}", e);
		token = parsed(config);
		expect(strerror(e), trial_recover(&token, (struct ref){0}, &trial, &secret), -e);
		expect(strerror(e), (int)trial.result, passes ? TRIAL_AWAY : TRIAL_FAILS);
		assert_string_equal(trial.why, "local: no luck");
		assert_null(secret.p);
		trial_done(&trial);
		token_done(&token);
	}
}

/* All but the PIN holds; with one it was wrong. */
static void test_wants_pin(void **state)
{
	struct token token = parsed("{\"result\":55,\"words\":\"wrong\"}");
	struct buf secret = {0};
	struct trial trial = {0};

	(void)state;
	assert_int_equal(ENOANO, 55);
	assert_int_equal(trial_recover(&token, (struct ref){0}, &trial, &secret), -ENOANO);
	assert_int_equal(trial.result, TRIAL_AWAY);
	assert_true(trial.wants_pin);
	assert_string_equal(trial.why, "it takes a PIN, and nobody was there to type it");

	assert_int_equal(trial_recover(&token, ref_str("1234"), &trial, &secret), -ENOANO);
	assert_int_equal(trial.result, TRIAL_FAILS);
	assert_true(trial.wants_pin);
	assert_string_equal(trial.why, "local: wrong");
	assert_null(secret.p);
	trial_done(&trial);
	token_done(&token);
}

static void test_deadline(void **state)
{
	struct token token = parsed("{\"pending\":true}");
	struct buf secret = {0};
	struct trial trial = {0};

	(void)state;
	token.deadline = 1;
	assert_int_equal(trial_recover(&token, (struct ref){0}, &trial, &secret), -ETIMEDOUT);
	assert_int_equal(trial.result, TRIAL_AWAY);
	assert_string_equal(trial.why, "local: it was too late");
	assert_in_range(trial.took_us, USEC_PER_SEC, 10 * USEC_PER_SEC);
	trial_done(&trial);
	token_done(&token);
}

static void on_alarm(int number)
{
	(void)number;
}

static void test_signal(void **state)
{
	const struct itimerval often = {{0, 20 * 1000}, {0, 20 * 1000}}, never = {0};
	const struct sigaction action = {.sa_handler = on_alarm};
	struct token token = parsed("{\"pending\":true}");
	struct buf secret = {0};
	struct trial trial = {0};

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	expect("interrupted", trial_recover(&token, (struct ref){0}, &trial, &secret), -EINTR);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(trial.result, TRIAL_AWAY);
	assert_string_equal(trial.why, "local: interrupted");
	trial_done(&trial);
	token_done(&token);
}

static void test_run(void **state)
{
	const struct trial *trial;

	(void)state;
	add_keyslot(o.luks, 1, "first");
	add_keyslot(o.luks, 2, "second");
	add_local(o.luks, 0, "{}", 1 << 1, "first");
	trial = tried(0);
	assert_int_equal(trial->result, TRIAL_OPENS);
	assert_string_equal(trial->why, "");

	add_local(o.luks, 0, "{}", 1 << 1 | 1 << 2, "second");
	assert_int_equal(tried(0)->result, TRIAL_OPENS);

	add_local(o.luks, 0, "{}", 1 << 1, "second");
	trial = tried(0);
	assert_int_equal(trial->result, TRIAL_FAILS);
	assert_string_equal(trial->why, "its secret was recovered, but opens no keyslot of it");
}

static void test_run_failures(void **state)
{
	const struct trial *trial;

	(void)state;
	local_decrypts = 0;
	trial = tried(3);
	assert_int_equal(trial->result, TRIAL_FAILS);
	assert_string_equal(trial->why, "the token's JWE is missing or malformed");

	add_local(o.luks, 0, "{}", 0, "first");
	trial = tried(0);
	assert_int_equal(trial->result, TRIAL_FAILS);
	assert_string_equal(trial->why, "no keyslot belongs to it");
	assert_int_equal(local_decrypts, 0);

	add_local(o.luks, 0, "{\"result\":110,\"words\":\"no answer\"}", 1 << 1, "first");
	trial = tried(0);
	assert_int_equal(trial->result, TRIAL_AWAY);
	assert_string_equal(trial->why, "local: no answer");
}

/* What the plugin would refuse is not said to open the volume. */
static void test_null_cipher(void **state)
{
	static const struct {
		const char *section, *cipher, *words;
	} cases[] = {
		{"\"segments\"", "cipher_null-ecb", "the volume is not encrypted (null cipher)"},
		{"\"keyslots\"", "cipher_null-ecb", "keyslot 0 is not encrypted (null cipher)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct trial *trial;

		opened_end(&o);
		opened_begin(&o);
		add_local(o.luks, 0, "{}", 1, PASSPHRASE);
		o.luks = luks_free(o.luks);
		volume_forge(&o.volume, cases[i].section, "aes-xts-plain64", cases[i].cipher);
		opened_again(&o);

		local_decrypts = 0;
		trial = tried(0);
		assert_int_equal(trial->result, TRIAL_FAILS);
		assert_string_equal(trial->why, cases[i].words);
		assert_int_equal(local_decrypts, 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recover),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_wants_pin),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_signal),
		cmocka_unit_test_teardown(test_run, end_test),
		cmocka_unit_test_teardown(test_run_failures, end_test),
		cmocka_unit_test_teardown(test_null_cipher, end_test),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
