/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests over https: who is believed, by CA file, by pinned key, by the system's store. */
#include "tests/unit/foreign.h"
#include "tests/unit/hostile.h"

#include "crypto/ec.h"

#define ADV "{\"payload\":\"e30\",\"signatures\":[]}"

/* Throw-away keys: two CAs, two servers signed by the first, an expired and a self-signed one. */
static const char make_keys[] =
	"exec 2>/dev/null; cd $0 &&"
	"new() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; } &&"
	"ca() { new $1 && openssl req -x509 -key $1.key -subj /CN=$1 -days 2 -out $1.pem; } &&"
	"sign() { new $1 && echo subjectAltName=$2 >$1.ext && openssl req -new -key $1.key "
	"-subj /CN=$1 | openssl x509 -req -CA ca.pem -CAkey ca.key -set_serial $3 -days $4 "
	"-extfile $1.ext -out $1.pem; } &&"
	"pin() { printf sha256// >$1.pin && openssl pkey -in $1.key -pubout -outform der | "
	"openssl dgst -sha256 -binary | openssl base64 -A >>$1.pin; } &&"
	"ca ca && ca stranger && ca self && echo rubbish >rubbish.pem &&"
	"sign good DNS:localhost,IP:127.0.0.1 1 2 && sign other DNS:tang.example 2 2 &&"
	"sign expired IP:127.0.0.1 3 0 && pin good && pin self";

enum { HTTP, GOOD, OTHER, EXPIRED, SELF, N_SERVERS };
static struct server servers[N_SERVERS];
static char good_pin[64], self_pin[64];

static int set_up(void **state)
{
	static const char *const certs[N_SERVERS] = {NULL, "good", "other", "expired", "self"};

	(void)state;
	assert_non_null(mkdtemp(test_dir));
	write_file(in_dir("adv"), ADV);
	assert_int_equal(run((const char *const[]){"sh", "-c", make_keys, test_dir, NULL}), 0);
	read_file(in_dir("good.pin"), good_pin, sizeof(good_pin));
	read_file(in_dir("self.pin"), self_pin, sizeof(self_pin));
	assert_int_equal(strlen(good_pin), strlen("sha256//") + 44);

	for (size_t i = 0; i < N_SERVERS; i++) {
		char cert[64], key[64];
		const char *args[] = {"--drip=0.01", "--adv", in_dir("adv"), cert, key, NULL};

		(void)snprintf(cert, sizeof(cert), "--cert=%s/%s.pem", test_dir, certs[i]);
		(void)snprintf(key, sizeof(key), "--key=%s/%s.key", test_dir, certs[i]);
		args[3] = certs[i] ? cert : NULL;
		servers[i] = server_start(args);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SERVERS; i++)
		server_stop(&servers[i]);
	return run((const char *const[]){"rm", "-r", test_dir, NULL});
}

static void expect_adv(unsigned server, const char *host, const char *ca, const char *pubkey)
{
	CLEANUP(trial_done) struct trial t;

	trial_init(&t, "https://%s:%u", host, servers[server].port);
	t.request.ca = ca;
	t.request.pubkey = pubkey;
	(void)trial_run(&t);
	assert_body(&t, ADV);
}

static void expect_refusal(unsigned server, const char *ca, const char *pubkey, const char *words)
{
	CLEANUP(trial_done) struct trial t;

	trial_init(&t, "https://127.0.0.1:%u", servers[server].port);
	t.request.ca = ca;
	t.request.pubkey = pubkey;
	(void)trial_run(&t);
	assert_failed(&t, -EKEYREJECTED, words);
	assert_int_equal(t.retries, 0);
	assert_int_equal(ERR_peek_error(), 0);
}

static void test_ca(void **state)
{
	(void)state;
	expect_adv(GOOD, "127.0.0.1", in_dir("ca.pem"), NULL);
	expect_adv(GOOD, "localhost", in_dir("ca.pem"), NULL);
	expect_adv(SELF, "127.0.0.1", NULL, self_pin);
	expect_refusal(GOOD, in_dir("stranger.pem"), NULL, "certificate problem: ");
	expect_refusal(SELF, in_dir("ca.pem"), NULL, "self-signed certificate");
	expect_refusal(OTHER, in_dir("ca.pem"), NULL, "certificate problem: ");
	expect_refusal(EXPIRED, in_dir("ca.pem"), NULL, "certificate has expired");
	expect_refusal(GOOD, in_dir("rubbish.pem"), NULL, "certificate problem: ");
}

static void test_system_store(void **state)
{
	(void)state;
	expect_refusal(GOOD, NULL, NULL, "certificate problem: ");
	expect_refusal(SELF, NULL, NULL, "certificate problem: ");
}

/* Alone the key decides: not the name, not the date, not who signed. */
static void test_pinned_key(void **state)
{
	static const char other[] = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
	static const char words[] = "public key does not match the pinned one";

	(void)state;
	expect_adv(GOOD, "127.0.0.1", NULL, good_pin);
	expect_refusal(SELF, NULL, good_pin, words);
	expect_refusal(GOOD, NULL, self_pin, words);
	expect_refusal(GOOD, NULL, other, words);
	expect_refusal(GOOD, NULL, "sha256//", words);
	expect_refusal(GOOD, NULL, "sha256//AAAA", words);
}

/* Together both must hold. */
static void test_ca_and_pinned_key(void **state)
{
	(void)state;
	expect_adv(GOOD, "127.0.0.1", in_dir("ca.pem"), good_pin);
	expect_refusal(GOOD, in_dir("ca.pem"), self_pin, "does not match the pinned one");
	expect_refusal(GOOD, in_dir("stranger.pem"), good_pin, "certificate problem: ");
	expect_refusal(SELF, in_dir("ca.pem"), self_pin, "certificate problem: ");
}

/* Trust given for one request must not serve another on the same connection or session. */
static void test_trust_is_not_shared(void **state)
{
	const struct {
		const char *ca, *pubkey;
		int want;
	} steps[] = {
		{NULL, good_pin, 0},
		{NULL, NULL, -EKEYREJECTED},
		{in_dir("ca.pem"), NULL, 0},
		{in_dir("stranger.pem"), NULL, -EKEYREJECTED},
		{NULL, self_pin, -EKEYREJECTED},
		{in_dir("ca.pem"), self_pin, -EKEYREJECTED},
		{in_dir("ca.pem"), good_pin, 0},
	};
	struct cot cot = {.deadline_us = now_us() + 10 * USEC_PER_SEC};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		CLEANUP(trial_done) struct trial t;

		trial_init(&t, "https://127.0.0.1:%u", servers[GOOD].port);
		t.request.ca = steps[i].ca;
		t.request.pubkey = steps[i].pubkey;
		t.r = fetch_run(&cot, &t.log, &t.request, &t.reply);
		if (t.r != steps[i].want)
			fail_msg("step %zu: got %d (%s), want %d", i, t.r, t.error, steps[i].want);
	}
	cot_done(&cot);
}

static void test_wrong_protocol(void **state)
{
	CLEANUP(trial_done) struct trial tls, bare;

	(void)state;
	trial_init(&tls, "https://127.0.0.1:%u", servers[HTTP].port);
	(void)trial_run(&tls);
	assert_failed(&tls, -EPROTO, "does not speak TLS as it should: ");
	assert_int_equal(tls.retries, 0);

	trial_init(&bare, "http://127.0.0.1:%u", servers[GOOD].port);
	(void)trial_run(&bare);
	assert_true(bare.r == -EPROTO || bare.r == -ECONNREFUSED);
	assert_int_equal(bare.errors, 1);
}

/* Silence, breaks and floods within TLS; a signal SIGPIPE would end this program. */
static void test_hostile_replies(void **state)
{
	static const struct {
		const char *mode;
		int want;
		const char *words;
	} modes[] = {
		{"garbage", -EPROTO, "does not speak HTTP"},
		{"endless", -EPROTO, "longer than 65536 bytes"},
		{"longheader", -EPROTO, "longer than 65536 bytes"},
		{"truncated", -EPROTO, "in the middle of its reply"},
		{"drip", -ETIMEDOUT, "did not come to an end"},
		{"silent", -ETIMEDOUT, "no answer (tried for 1 s)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		CLEANUP(trial_done) struct trial t;

		trial_init(&t, "https://127.0.0.1:%u/%s", servers[GOOD].port, modes[i].mode);
		t.request.ca = in_dir("ca.pem");
		t.deadline_ms = 1000;
		(void)trial_run(&t);
		assert_failed(&t, modes[i].want, modes[i].words);
		assert_took(&t, 0, 1900);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

/* Silent before TLS has begun. */
static void test_mute(void **state)
{
	struct server mute = server_start((const char *const[]){"--mode=mute", NULL});
	CLEANUP(trial_done) struct trial t;

	(void)state;
	trial_init(&t, "https://127.0.0.1:%u", mute.port);
	(void)trial_run(&t);
	server_stop(&mute);
	assert_failed(&t, -ETIMEDOUT, "accepted the connection but stayed silent for 5 s");
	assert_took(&t, 5000, 5900);
	assert_int_equal(t.retries, 0);
}

static char self[4096];

/* Lets the system trust the throw-away CA, in a mount namespace of this test's own. */
static void test_nothing_else_is_trusted(void **state)
{
	(void)state;
	if (emulated())
		return;
	if (geteuid() != 0)
		skip();
	assert_int_equal(run((const char *const[]){"unshare", "-m", self, "own-store", NULL}), 0);
}

static void test_with_own_store(void **state)
{
	static const char prepare[] =
		"mount -t tmpfs none /etc/ssl/certs && cp $0/ca.pem /etc/ssl/certs/ca-certificates.crt"
		" && cp $0/ca.pem /etc/ssl/certs/$(openssl x509 -in $0/ca.pem -noout -hash).0";

	(void)state;
	assert_int_equal(run((const char *const[]){"sh", "-c", prepare, test_dir, NULL}), 0);
	expect_adv(GOOD, "127.0.0.1", NULL, NULL);
	expect_adv(GOOD, "127.0.0.1", in_dir("ca.pem"), NULL);
	expect_refusal(GOOD, in_dir("stranger.pem"), NULL, "certificate problem: ");
	expect_refusal(SELF, NULL, NULL, "certificate problem: ");
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest own_store[] = {
		cmocka_unit_test(test_with_own_store),
	};
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ca),
		cmocka_unit_test(test_system_store),
		cmocka_unit_test(test_pinned_key),
		cmocka_unit_test(test_ca_and_pinned_key),
		cmocka_unit_test(test_trust_is_not_shared),
		cmocka_unit_test(test_wrong_protocol),
		cmocka_unit_test(test_hostile_replies),
		cmocka_unit_test(test_mute),
		cmocka_unit_test(test_nothing_else_is_trusted),
	};

	(void)argv;
	if (argc > 1)
		return cmocka_run_group_tests(own_store, set_up, tear_down);
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
