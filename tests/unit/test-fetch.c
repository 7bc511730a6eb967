/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests over http: what is sent, hostile replies, and when a try is the last. */
#include "tests/unit/foreign.h"
#include "tests/unit/hostile.h"

#include "tang/curl-dl.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ADV "{\"payload\":\"e30\",\"signatures\":[]}"
#define REC "{\"kty\":\"EC\"}"

static struct server good, v6;

static int set_up(void **state)
{
	char log[64], adv[64], rec[64];

	(void)state;
	assert_non_null(mkdtemp(test_dir));
	write_file(in_dir("adv"), ADV);
	write_file(in_dir("rec"), REC);
	(void)snprintf(log, sizeof(log), "--log=%s", in_dir("log"));
	(void)snprintf(adv, sizeof(adv), "--adv=%s", in_dir("adv"));
	(void)snprintf(rec, sizeof(rec), "--rec=%s", in_dir("rec"));
	good = server_start((const char *const[]){log, adv, rec, NULL});
	v6 = server_start((const char *const[]){"--host=::1", log, adv, NULL});
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	server_stop(&good);
	server_stop(&v6);
	return run((const char *const[]){"rm", "-r", test_dir, NULL});
}

static void forget_requests(void)
{
	write_file(in_dir("log"), "");
}

/* All requests since, as an array that the caller ends. */
static json_t *requests(void)
{
	static char text[64 * 1024];
	json_t *all = json_array();
	char *save = NULL;

	read_file(in_dir("log"), text, sizeof(text));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		assert_int_equal(json_array_append_new(all, json_loads(line, 0, NULL)), 0);
	return all;
}

static void assert_header(const json_t *request, const char *name, const char *value)
{
	const char *got = js_str(json_object_get(request, "headers"), name);

	if (value && (!got || strcmp(got, value) != 0))
		fail_msg("the header %s is \"%s\", not \"%s\"", name, got ? got : "", value);
	if (!value && got)
		fail_msg("there is a header %s: \"%s\"", name, got);
}

static void test_get(void **state)
{
	static const struct {
		const char *before, *after, *path;
	} forms[] = {
		{"http://127.0.0.1", "", "/adv"},
		{"127.0.0.1", "", "/adv"},
		{"HTTP://127.0.0.1", "/", "/adv"},
		{"http://127.0.0.1", "//", "/adv"},
		{"http://127.0.0.1", "/p/q//", "/p/q/adv"},
		{"http://localhost", "/a/../b", "/a/../b/adv"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		CLEANUP(trial_done) struct trial t;
		CLEANUP_JSON json_t *sent = NULL;
		const json_t *request;

		forget_requests();
		trial_init(&t, "%s:%u%s", forms[i].before, good.port, forms[i].after);
		assert_int_equal(trial_run(&t), 0);
		assert_body(&t, ADV);

		sent = requests();
		request = json_array_get(sent, 0);
		assert_int_equal(json_array_size(sent), 1);
		assert_string_equal(js_str(request, "method"), "GET");
		assert_string_equal(js_str(request, "path"), forms[i].path);
		assert_int_equal(json_object_size(json_object_get(request, "headers")), 1);
		assert_non_null(js_str(json_object_get(request, "headers"), "host"));
	}
}

static void test_post(void **state)
{
	CLEANUP(trial_done) struct trial t;
	CLEANUP_JSON json_t *sent = NULL;
	const json_t *request;
	static char body[4000];

	(void)state;
	memset(body, 'b', sizeof(body));
	forget_requests();
	trial_init(&t, "http://127.0.0.1:%u/x", good.port);
	t.request.path = "rec/KID";
	t.request.body = (struct ref){(const uint8_t *)body, sizeof(body)};
	assert_int_equal(trial_run(&t), 0);
	assert_body(&t, REC);

	sent = requests();
	request = json_array_get(sent, 0);
	assert_string_equal(js_str(request, "method"), "POST");
	assert_string_equal(js_str(request, "path"), "/x/rec/KID");
	assert_int_equal(strlen(js_str(request, "body")), sizeof(body));
	assert_memory_equal(js_str(request, "body"), body, sizeof(body));
	assert_header(request, "content-type", "application/jwk+json");
	assert_header(request, "content-length", "4000");
	assert_int_equal(json_object_size(json_object_get(request, "headers")), 3);
}

static void test_ipv6(void **state)
{
	CLEANUP(trial_done) struct trial t;

	(void)state;
	trial_init(&t, "http://[::1]:%u", v6.port);
	assert_int_equal(trial_run(&t), 0);
	assert_body(&t, ADV);
}

/* Both proxies would refuse; the netrc would add a header. */
static void test_environment_is_ignored(void **state)
{
	static const char *const proxies[] = {"http_proxy", "HTTP_PROXY", "https_proxy",
					      "all_proxy", "ALL_PROXY"};
	CLEANUP(trial_done) struct trial t;
	CLEANUP_JSON json_t *sent = NULL;

	(void)state;
	(void)unsetenv("no_proxy");
	(void)unsetenv("NO_PROXY");
	for (size_t i = 0; i < ARRAY_SIZE(proxies); i++)
		assert_int_equal(setenv(proxies[i], "http://127.0.0.1:1", 1), 0);
	write_file(in_dir(".netrc"), "default login me password secret\n");
	assert_int_equal(setenv("HOME", test_dir, 1), 0);

	forget_requests();
	trial_init(&t, "http://127.0.0.1:%u", good.port);
	assert_int_equal(trial_run(&t), 0);
	for (size_t i = 0; i < ARRAY_SIZE(proxies); i++)
		(void)unsetenv(proxies[i]);

	sent = requests();
	assert_header(json_array_get(sent, 0), "authorization", NULL);
}

static void test_connections_are_reused(void **state)
{
	CLEANUP_JSON json_t *sent = NULL;
	json_int_t numbers[4];

	(void)state;
	forget_requests();
	for (size_t run = 0; run < 2; run++) {
		struct cot cot = {.deadline_us = now_us() + 10 * USEC_PER_SEC};

		for (size_t i = 0; i < 2; i++) {
			CLEANUP(trial_done) struct trial t;

			trial_init(&t, "http://127.0.0.1:%u", good.port);
			t.r = fetch_run(&cot, &t.log, &t.request, &t.reply);
			assert_body(&t, ADV);
		}
		cot_done(&cot);
	}

	sent = requests();
	assert_int_equal(json_array_size(sent), 4);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		numbers[i] =
			json_integer_value(json_object_get(json_array_get(sent, i), "connection"));
	assert_int_equal(numbers[0], numbers[1]);
	assert_int_equal(numbers[2], numbers[3]);
	assert_int_not_equal(numbers[1], numbers[2]);
}

/* A status is an answer, and a redirect is not followed. */
static void test_statuses(void **state)
{
	static const struct {
		const char *mode;
		long status;
	} modes[] = {{"404", 404}, {"500", 500}, {"503", 503}, {"redirect", 302}, {"empty", 200}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		CLEANUP(trial_done) struct trial t;
		CLEANUP_JSON json_t *sent = NULL;

		forget_requests();
		trial_init(&t, "http://127.0.0.1:%u/%s", good.port, modes[i].mode);
		(void)trial_run(&t);
		assert_status(&t, modes[i].status);
		assert_int_equal(t.reply.body.n == 0, modes[i].status == 200);
		sent = requests();
		assert_int_equal(json_array_size(sent), 1);
	}
}

static void test_hostile_replies(void **state)
{
	static const struct {
		const char *mode, *words;
	} modes[] = {
		{"garbage", "does not speak HTTP"},
		{"nothttp", "does not speak HTTP"},
		{"endless", "longer than 65536 bytes"},
		{"headers", "longer than 65536 bytes"},
		{"longheader", "longer than 65536 bytes"},
		{"big", "longer than 65536 bytes"},
		{"truncated", "in the middle of its reply"},
		{"chopped", "in the middle of its reply"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		CLEANUP(trial_done) struct trial t;

		trial_init(&t, "http://127.0.0.1:%u/%s", good.port, modes[i].mode);
		(void)trial_run(&t);
		assert_failed(&t, -EPROTO, modes[i].words);
		assert_int_equal(t.retries, 0);
		assert_took(&t, 0, 2000);
	}
}

/* Bound to a port of its own. Listening or not, it never accepts. */
static int make_socket(unsigned *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

/* A full queue of connections: the kernel drops whoever else knocks, as a firewall does. */
static int fill_queue(int listener, unsigned port, int fillers[3])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t i = 0; i < 3; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&address, sizeof(address));
	}
	return listen(listener, 0);
}

enum { GOOD, LATE, REFUSED, CLOSES, ABORTS, SILENT, UNANSWERED, DRIPS, N_TOGETHER };

static void run_together(struct trial trials[N_TOGETHER], struct cot *cot)
{
	uint64_t began = now_us();
	unsigned left = N_TOGETHER;

	for (size_t i = 0; i < N_TOGETHER; i++) {
		struct trial *t = &trials[i];

		assert_int_equal(fetch_start(cot, &t->log, &t->request, &t->fetch), 0);
		t->r = -EINPROGRESS;
	}
	while (left > 0) {
		for (size_t i = 0; i < N_TOGETHER; i++) {
			struct trial *t = &trials[i];

			if (t->r != -EINPROGRESS)
				continue;
			t->r = fetch_step(cot, t->fetch, &t->reply);
			if (t->r == -EINPROGRESS)
				continue;
			t->took_ms = (unsigned)((now_us() - began) / 1000);
			left--;
		}
		if (left > 0)
			assert_int_equal(cot_wait(cot), 0);
	}
}

static void check_together(struct trial trials[N_TOGETHER])
{
	assert_body(&trials[GOOD], ADV);
	assert_took(&trials[GOOD], 0, 900);
	assert_body(&trials[LATE], ADV);
	assert_took(&trials[LATE], 900, 2900);
	assert_true(trials[LATE].retries >= 4);

	for (size_t i = REFUSED; i <= ABORTS; i++) {
		assert_failed(&trials[i], -ECONNREFUSED,
			      i == REFUSED
				      ? "connection refused (tried for 3 s)"
				      : "closed the connection without an answer (tried for 3 s)");
		assert_took(&trials[i], 3000, 3900);
		assert_in_range(trials[i].retries, 5, 10);
	}
	assert_failed(&trials[SILENT], -ETIMEDOUT, "stayed silent for 5 s");
	assert_took(&trials[SILENT], 5000, 5900);
	assert_int_equal(trials[SILENT].retries, 0);

	assert_failed(&trials[UNANSWERED], -ETIMEDOUT, "no answer within 3 s (tried for 6 s)");
	assert_took(&trials[UNANSWERED], 6000, 6900);
	assert_int_equal(trials[UNANSWERED].retries, 1);
	assert_failed(&trials[DRIPS], -ETIMEDOUT, "did not come to an end");
	assert_took(&trials[DRIPS], 6000, 6900);
	assert_int_equal(trials[DRIPS].retries, 0);
}

/* Each goes its own way, and none delays another. */
static void test_many_together(void **state)
{
	struct cot cot = {.deadline_us = now_us() + 6 * USEC_PER_SEC};
	struct server late =
		server_start((const char *const[]){"--refuse=1", "--adv", in_dir("adv"), NULL});
	unsigned refused_port, unanswered_port;
	int refused = make_socket(&refused_port), unanswered = make_socket(&unanswered_port);
	static struct trial trials[N_TOGETHER];
	int fillers[3];

	(void)state;
	assert_int_equal(listen(unanswered, 0), 0);
	assert_int_equal(fill_queue(unanswered, unanswered_port, fillers), 0);
	trial_init(&trials[GOOD], "http://127.0.0.1:%u", good.port);
	trial_init(&trials[LATE], "http://127.0.0.1:%u", late.port);
	trial_init(&trials[REFUSED], "http://127.0.0.1:%u", refused_port);
	trial_init(&trials[CLOSES], "http://127.0.0.1:%u/close", good.port);
	trial_init(&trials[ABORTS], "http://127.0.0.1:%u/abort", good.port);
	trial_init(&trials[SILENT], "http://127.0.0.1:%u/silent", good.port);
	trial_init(&trials[UNANSWERED], "http://127.0.0.1:%u", unanswered_port);
	trial_init(&trials[DRIPS], "http://127.0.0.1:%u/drip", good.port);

	cot.deadline_us = now_us() + 6 * USEC_PER_SEC;
	run_together(trials, &cot);
	check_together(trials);

	for (size_t i = 0; i < N_TOGETHER; i++)
		trial_done(&trials[i]);
	cot_done(&cot);
	server_stop(&late);
	(void)close(refused);
	(void)close(unanswered);
	for (size_t i = 0; i < ARRAY_SIZE(fillers); i++)
		(void)close(fillers[i]);
}

static void test_deadline(void **state)
{
	unsigned port;
	int refused = make_socket(&port);
	CLEANUP(trial_done) struct trial silent, retried, over;
	struct cot cot = {.deadline_us = now_us()};

	(void)state;
	trial_init(&silent, "http://127.0.0.1:%u/silent", good.port);
	silent.deadline_ms = 300;
	(void)trial_run(&silent);
	assert_failed(&silent, -ETIMEDOUT, "no answer (tried for 0 s)");
	assert_took(&silent, 300, 900);

	trial_init(&retried, "http://127.0.0.1:%u", port);
	retried.deadline_ms = 700;
	(void)trial_run(&retried);
	assert_failed(&retried, -ECONNREFUSED, "connection refused (tried for 1 s)");
	assert_took(&retried, 700, 1400);

	trial_init(&over, "http://127.0.0.1:%u", good.port);
	assert_int_equal(fetch_start(&cot, &over.log, &over.request, &over.fetch), 0);
	over.r = fetch_step(&cot, over.fetch, &over.reply);
	assert_int_not_equal(over.r, -EINPROGRESS);
	assert_failed(&over, -ETIMEDOUT, "no time was left");
	assert_int_equal(fetch_step(&cot, over.fetch, &over.reply), over.r);
	assert_int_equal(over.errors, 1);
	cot_done(&cot);
	(void)close(refused);
}

/* Whoever was busy with something else finds the answer that came meanwhile. */
static void test_answer_while_busy(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
	const struct timespec busy = {.tv_sec = 5, .tv_nsec = 100 * 1000 * 1000};
	struct cot cot = {.deadline_us = now_us() + 20 * USEC_PER_SEC};
	CLEANUP(trial_done) struct trial t;
	int listener, client = -1;
	char request[512];
	unsigned port;

	(void)state;
	listener = make_socket(&port);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	trial_init(&t, "http://127.0.0.1:%u", port);
	assert_int_equal(fetch_start(&cot, &t.log, &t.request, &t.fetch), 0);
	while (client < 0 || recv(client, request, sizeof(request), MSG_DONTWAIT) <= 0) {
		assert_true(now_us() < cot.deadline_us);
		cot_wake_at(&cot, now_us() + 10 * USEC_PER_MSEC);
		assert_int_equal(cot_wait(&cot), 0);
		if (client < 0)
			client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	}

	assert_int_equal(send(client, answer, strlen(answer), 0), strlen(answer));
	assert_int_equal(nanosleep(&busy, NULL), 0);
	while ((t.r = fetch_step(&cot, t.fetch, &t.reply)) == -EINPROGRESS)
		assert_int_equal(cot_wait(&cot), 0);
	assert_body(&t, "{}");
	cot_done(&cot);
	(void)close(client);
	(void)close(listener);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* SA_RESTART, as most programs set it: the wait must end all the same. */
static void test_interrupt(void **state)
{
	/* provokes: cot_poll -EINTR */
	const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	const struct itimerval each_200_ms = {.it_value.tv_usec = 200 * 1000,
					      .it_interval.tv_usec = 200 * 1000};
	const struct itimerval never = {0};
	CLEANUP(trial_done) struct trial t;

	(void)state;
	trial_init(&t, "http://127.0.0.1:%u/silent", good.port);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &each_200_ms, NULL), 0);
	(void)trial_run(&t);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(t.r, -EINTR);
	assert_took(&t, 190, 2000);
	assert_int_equal(t.errors, 0);
}

static unsigned open_files(void)
{
	DIR *fds = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(fds);
	while (readdir(fds))
		n++;
	(void)closedir(fds);
	return n;
}

static void test_many_at_one_server(void **state)
{
	enum { N = 40 };
	struct cot cot = {.deadline_us = now_us() + 10 * USEC_PER_SEC};
	unsigned before = open_files(), left = N;
	struct trial *trials = calloc(N, sizeof(*trials));

	(void)state;
	assert_non_null(trials);
	for (size_t i = 0; i < N; i++) {
		trial_init(&trials[i], "http://localhost:%u/p%zu", good.port, i);
		trials[i].r = -EINPROGRESS;
		assert_int_equal(
			fetch_start(&cot, &trials[i].log, &trials[i].request, &trials[i].fetch), 0);
	}
	while (left > 0) {
		for (size_t i = 0; i < N; i++)
			if (trials[i].r == -EINPROGRESS) {
				trials[i].r = fetch_step(&cot, trials[i].fetch, &trials[i].reply);
				left -= trials[i].r != -EINPROGRESS;
			}
		if (left > 0)
			assert_int_equal(cot_wait(&cot), 0);
	}
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(trials[i].r, 0);
		trial_done(&trials[i]);
	}
	cot_done(&cot);
	free(trials);
	assert_int_equal(open_files(), before);
}

/* At any moment, in any order. */
static void test_cancel(void **state)
{
	unsigned before = open_files();

	(void)state;
	assert_null(fetch_free(NULL));
	for (unsigned waits = 0; waits < 8; waits++) {
		struct cot cot = {.deadline_us = now_us() + 10 * USEC_PER_SEC};
		CLEANUP(trial_done) struct trial silent, named, kept;

		trial_init(&silent, "http://127.0.0.1:%u/silent", good.port);
		trial_init(&named, "http://localhost:%u/drip", good.port);
		trial_init(&kept, "http://127.0.0.1:%u/endless", good.port);
		assert_int_equal(fetch_start(&cot, NULL, &silent.request, &silent.fetch), 0);
		assert_int_equal(fetch_start(&cot, NULL, &named.request, &named.fetch), 0);
		assert_int_equal(fetch_start(&cot, NULL, &kept.request, &kept.fetch), 0);
		for (unsigned i = 0; i < waits; i++) {
			cot_wake_at(&cot, now_us() + 5000);
			assert_int_equal(cot_wait(&cot), 0);
		}
		silent.fetch = fetch_free(silent.fetch);
		cot_wake_at(&cot, now_us() + 5000);
		assert_int_equal(cot_wait(&cot), 0);
		named.fetch = fetch_free(named.fetch);
		cot_done(&cot);
	}
	assert_int_equal(open_files(), before);
}

static void test_bad_requests(void **state)
{
	CLEANUP(trial_done) struct trial t;

	(void)state;
	trial_init(&t, "http://user:password@127.0.0.1:%u", good.port);
	forget_requests();
	(void)trial_run(&t);
	assert_failed(&t, -EBADMSG, "not the URL of a Tang server");

	trial_init(&t, "https://127.0.0.1:%u", good.port);
	t.request.pubkey = in_dir("adv");
	(void)trial_run(&t);
	assert_failed(&t, -EBADMSG, "sha256//");

	trial_init(&t, "https://127.0.0.1:%u", good.port);
	t.request.ca = in_dir("nothing.pem");
	(void)trial_run(&t);
	assert_failed(&t, -ENOENT, "nothing.pem cannot be read: No such file");
	{
		CLEANUP_JSON json_t *sent = requests();

		assert_int_equal(json_array_size(sent), 0);
	}
}

static void test_foreign_waiter(void **state)
{
	struct waiter foreign = {0};
	struct cot cot = {.deadline_us = now_us() + USEC_PER_SEC, .waiter = &foreign};
	CLEANUP(trial_done) struct trial t;

	(void)state;
	trial_init(&t, "http://127.0.0.1:%u", good.port);
	assert_int_equal(fetch_start(&cot, &t.log, &t.request, &t.fetch), -EINVAL);
	assert_null(t.fetch);
	assert_ptr_equal(cot.waiter, &foreign);
}

static char self[4096];
static const char *expected_words;

/* Runs test_no_libcurl() in a program that finds this libcurl first. */
static void expect_no_libcurl(const char *words)
{
	assert_int_equal(setenv("LD_LIBRARY_PATH", test_dir, 1), 0);
	assert_int_equal(run((const char *const[]){self, words, NULL}), 0);
	(void)unsetenv("LD_LIBRARY_PATH");
}

static void make_library(const char *source)
{
	write_file(in_dir("fake.c"), source);
	assert_int_equal(run((const char *const[]){"cc", "-shared", "-fPIC", "-o",
						   in_dir("libcurl.so.4"), in_dir("fake.c"), NULL}),
			 0);
}

static void test_unusable_libraries(void **state)
{
#define FAKE(name) "void *curl_" #name "(void) { static long zeros[64]; return zeros; }\n"
	static const char all_zero[] = LIBCURL_SYMBOLS(FAKE);

	(void)state;
	if (foreign())
		return;
	write_file(in_dir("libcurl.so.4"), "rubbish\n");
	expect_no_libcurl("cannot be reached without libcurl: ");
	make_library("int nothing;\n");
	expect_no_libcurl("libcurl.so.4 is too old: it has no curl_");
	make_library(all_zero);
	expect_no_libcurl("libcurl.so.4 cannot be initialised safely");
}

static void test_no_libcurl(void **state)
{
	CLEANUP(trial_done) struct trial t;

	(void)state;
	trial_init(&t, "http://127.0.0.1:1");
	(void)trial_run(&t);
	assert_int_equal(t.r, -EOPNOTSUPP);
	assert_int_equal(t.errors, 1);
	if (!strstr(t.error, expected_words))
		fail_msg("\"%s\" does not say \"%s\"", t.error, expected_words);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest no_libcurl[] = {
		cmocka_unit_test(test_no_libcurl),
	};
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_post),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_environment_is_ignored),
		cmocka_unit_test(test_connections_are_reused),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_hostile_replies),
		cmocka_unit_test(test_many_together),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_answer_while_busy),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_many_at_one_server),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_foreign_waiter),
		cmocka_unit_test(test_unusable_libraries),
	};

	if (argc > 1) {
		expected_words = argv[1];
		return cmocka_run_group_tests(no_libcurl, NULL, NULL);
	}
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
