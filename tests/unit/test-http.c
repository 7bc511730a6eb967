/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One exchange: what is refused before it begins, and what each end of it means. */
#include "tang/http.h"

#include "tests/unit/lines.h"

static struct lines lines;

/* What a libcurl that is not there says. */
static struct {
	long os_errno, request_size, status;
	curl_off_t resolved_us;
	CURLoption refused; /* by easy_setopt */
} fake;

static CURLcode fake_getinfo(CURL *easy, CURLINFO info, ...)
{
	CURLcode r = CURLE_OK;
	va_list ap;

	(void)easy;
	va_start(ap, info);
	if (info == CURLINFO_OS_ERRNO)
		*va_arg(ap, long *) = fake.os_errno;
	else if (info == CURLINFO_REQUEST_SIZE)
		*va_arg(ap, long *) = fake.request_size;
	else if (info == CURLINFO_RESPONSE_CODE)
		*va_arg(ap, long *) = fake.status;
	else if (info == CURLINFO_NAMELOOKUP_TIME_T)
		*va_arg(ap, curl_off_t *) = fake.resolved_us;
	else
		r = CURLE_UNKNOWN_OPTION;
	va_end(ap);
	return r;
}

static CURLcode fake_setopt(CURL *easy, CURLoption option, ...)
{
	(void)easy;
	return option == fake.refused ? CURLE_UNKNOWN_OPTION : CURLE_OK;
}

/* A pool with that libcurl, and an exchange on it that has come to this end. */
static struct pool pool = {.refs = 1, .curl.easy_getinfo = fake_getinfo};

static struct http ended(CURLcode result, size_t header_bytes, bool headers_ended)
{
	return (struct http){
		.transfer = {.state = TRANSFER_ENDED, .result = result},
		.pool = &pool,
		.header_bytes = header_bytes,
		.headers_ended = headers_ended,
	};
}

static void expect_verdict(const char *what, struct verdict got, int err, int again,
			   const char *words)
{
	expect(what, got.err, err);
	expect(what, (int)got.again, again);
	if (words && !strstr(got.words, words))
		fail_msg("%s: \"%s\" is not about \"%s\"", what, got.words, words);
}

static void test_verdicts(void **state)
{
	static const struct {
		CURLcode result;
		size_t header_bytes;
		bool headers_ended;
		int err, again;
		const char *words;
	} cases[] = {
		{CURLE_OK, 20, true, 0, NEVER, NULL},
		{CURLE_OK, 20, false, -EPROTO, NEVER, "in the middle of its reply"},
		{CURLE_OK, 0, false, -ECONNREFUSED, BRIEFLY, "without an answer"},
		{CURLE_COULDNT_RESOLVE_HOST, 0, false, -EHOSTUNREACH, UNTIL_DEADLINE, "its name"},
		{CURLE_OPERATION_TIMEDOUT, 0, false, -ETIMEDOUT, UNTIL_DEADLINE, "within 3 s"},
		{CURLE_GOT_NOTHING, 0, false, -ECONNREFUSED, BRIEFLY, "without an answer"},
		{CURLE_SEND_ERROR, 0, false, -ECONNREFUSED, BRIEFLY, "without an answer"},
		{CURLE_RECV_ERROR, 0, false, -ECONNREFUSED, BRIEFLY, "without an answer"},
		{CURLE_RECV_ERROR, 1, false, -EPROTO, NEVER, "in the middle of its reply"},
		{CURLE_PARTIAL_FILE, 20, true, -EPROTO, NEVER, "in the middle of its reply"},
		{CURLE_WRITE_ERROR, 20, true, -EPROTO, NEVER, "longer than 65536 bytes"},
		{(CURLcode)100, 20, false, -EPROTO, NEVER, "longer than 65536 bytes"},
		{CURLE_PEER_FAILED_VERIFICATION, 0, false, -EKEYREJECTED, NEVER, "certificate"},
		{CURLE_SSL_CACERT_BADFILE, 0, false, -EKEYREJECTED, NEVER, "certificate"},
		{CURLE_SSL_PINNEDPUBKEYNOTMATCH, 0, false, -EKEYREJECTED, NEVER, "public key"},
		{CURLE_SSL_CONNECT_ERROR, 0, false, -EPROTO, NEVER, "does not speak TLS"},
		{CURLE_WEIRD_SERVER_REPLY, 0, false, -EPROTO, NEVER, "does not speak HTTP"},
		{CURLE_UNSUPPORTED_PROTOCOL, 0, false, -EPROTO, NEVER, "does not speak HTTP"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http http =
			ended(cases[i].result, cases[i].header_bytes, cases[i].headers_ended);
		char what[64];

		(void)snprintf(what, sizeof(what), "libcurl's result %d", (int)cases[i].result);
		expect_verdict(what, http_verdict(&http), cases[i].err, cases[i].again,
			       cases[i].words);
	}
}

static void test_no_connection(void **state)
{
	static const struct {
		int os_errno, err, again;
	} cases[] = {
		{ECONNREFUSED, -ECONNREFUSED, BRIEFLY},
		{ENETUNREACH, -ENETUNREACH, UNTIL_DEADLINE},
		{ENETDOWN, -ENETUNREACH, UNTIL_DEADLINE},
		{EADDRNOTAVAIL, -ENETUNREACH, UNTIL_DEADLINE},
		{EHOSTUNREACH, -EHOSTUNREACH, UNTIL_DEADLINE},
		{ETIMEDOUT, -ETIMEDOUT, UNTIL_DEADLINE},
		{EACCES, -EHOSTUNREACH, UNTIL_DEADLINE},
		{0, -EHOSTUNREACH, UNTIL_DEADLINE},
	};
	struct http http = ended(CURLE_COULDNT_CONNECT, 0, false);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fake.os_errno = cases[i].os_errno;
		expect_verdict(strerror(cases[i].os_errno), http_verdict(&http), cases[i].err,
			       cases[i].again, NULL);
	}
}

/* An old libcurl's word for a header line of 100 KB, which comes after the request. */
static void test_no_memory(void **state)
{
	struct http http = ended(CURLE_OUT_OF_MEMORY, 0, false);

	(void)state;
	fake.request_size = 0;
	expect_verdict("before", http_verdict(&http), -ENOMEM, NEVER, "out of memory");
	fake.request_size = 100;
	expect_verdict("after", http_verdict(&http), -EPROTO, NEVER, "longer than 65536 bytes");
}

static void test_pending(void **state)
{
	struct http http = ended(CURLE_OK, 0, false);

	(void)state;
	fake.resolved_us = 0;
	expect_verdict("no address", http_verdict_pending(&http), -EHOSTUNREACH, UNTIL_DEADLINE,
		       "its name cannot be resolved");
	fake.resolved_us = 1;
	expect_verdict("no answer", http_verdict_pending(&http), -ETIMEDOUT, UNTIL_DEADLINE,
		       "no answer");
	http.header_bytes = 1;
	expect_verdict("no end", http_verdict_pending(&http), -ETIMEDOUT, NEVER,
		       "did not come to an end");
	fake.status = 418;
	assert_int_equal(http_status(&http), 418);
}

/* A pool with the real one. */
static int begin(struct cot *cot, struct pool **ret)
{
	*cot = (struct cot){.deadline_us = now_us() + USEC_PER_SEC};
	return pool_get(cot, lines_begin(&lines), ret);
}

/* Whether it begins or not, the reference is the exchange's, and ends with it. */
static void test_refused(void **state)
{
	static char long_url[FETCH_URL_MAX + 2];
	static const struct {
		struct fetch_request request;
		int want;
		const char *words;
	} cases[] = {
		{{.base = "http://h", .path = "adv"}, 0, NULL},
		{{.base = "https://h", .path = "adv", .ca = "/dev/null", .pubkey = "sha256//x"},
		 0,
		 NULL},
		{{.base = "ftp://h", .path = "adv"}, -EBADMSG, "not the URL of a Tang server"},
		{{.base = long_url, .path = "adv"}, -E2BIG, "not the URL of a Tang server"},
		{{.base = "https://h", .path = "adv", .pubkey = "/dev/null"},
		 -EBADMSG,
		 "the pinned public key is not sha256//"},
		{{.base = "https://h", .path = "adv", .ca = "/nonexistent"},
		 -ENOENT,
		 "the CA file /nonexistent cannot be read"},
	};
	struct cot cot;
	struct pool *real;

	(void)state;
	memset(long_url, 'h', FETCH_URL_MAX + 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fetch_request *request = &cases[i].request;
		struct http http = {0};

		assert_int_equal(begin(&cot, &real), 0);
		expect(request->base, http_init(&http, real, request, &lines.log), cases[i].want);
		assert_told(request->base, &lines, cases[i].words);
		assert_int_equal(real->refs, 2);
		http_done(&http);
		assert_int_equal(real->refs, 1);
		http_done(&http);
		cot_done(&cot);
	}
}

/* A libcurl that lacks any of the options is not used without it. */
static void test_missing_option(void **state)
{
	static const CURLoption options[] = {
		CURLOPT_NOSIGNAL,       CURLOPT_FOLLOWLOCATION, CURLOPT_PROTOCOLS_STR,
		CURLOPT_PROXY,          CURLOPT_NETRC,          CURLOPT_HEADERFUNCTION,
		CURLOPT_WRITEFUNCTION,  CURLOPT_CAINFO,         CURLOPT_PINNEDPUBLICKEY,
		CURLOPT_SSL_VERIFYPEER, CURLOPT_SSL_VERIFYHOST, CURLOPT_POSTFIELDS,
		CURLOPT_HTTPHEADER,     CURLOPT_SOCKOPTFUNCTION};
	const struct fetch_request request = {
		.base = "https://h",
		.path = "rec/x",
		.body = ref_str("{}"),
		.ca = "/dev/null",
		.pubkey = "sha256//x",
	};
	struct cot cot;
	struct pool *real;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct http http;
		char what[32];

		assert_int_equal(begin(&cot, &real), 0);
		real->curl.easy_setopt = fake_setopt;
		fake.refused = options[i];
		(void)snprintf(what, sizeof(what), "option %d", (int)options[i]);
		expect(what, http_init(&http, real, &request, &lines.log), -EOPNOTSUPP);
		assert_told(what, &lines, "this build of libcurl lacks an option");
		http_done(&http);
		cot_done(&cot);
	}
}

/* A try that was stopped leaves nothing behind for the next one. */
static void test_tries(void **state)
{
	const struct fetch_request request = {.base = "http://127.0.0.1:1", .path = "adv"};
	struct http http;
	struct cot cot;
	struct pool *real;

	(void)state;
	assert_int_equal(begin(&cot, &real), 0);
	assert_int_equal(http_init(&http, real, &request, &lines.log), 0);
	assert_int_equal(buf_append(&http.body, "old", 3), 0);
	http.header_bytes = 5;
	http.headers_ended = true;
	(void)snprintf(http.detail, sizeof(http.detail), "old");

	assert_int_equal(http_begin(&http), 0);
	assert_int_equal(http.transfer.state, TRANSFER_RUNNING);
	assert_int_equal(http.body.n, 0);
	assert_int_equal(http.header_bytes, 0);
	assert_false(http.headers_ended);
	assert_string_equal(http.detail, "");
	http_stop(&http);
	http_stop(&http);
	assert_int_equal(http.transfer.state, TRANSFER_IDLE);

	real->broken = true;
	assert_int_equal(http_begin(&http), -ENOMEM);
	http_done(&http);
	cot_done(&cot);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),       cmocka_unit_test(test_no_connection),
		cmocka_unit_test(test_no_memory),      cmocka_unit_test(test_pending),
		cmocka_unit_test(test_refused),        cmocka_unit_test(test_tries),
		cmocka_unit_test(test_missing_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
