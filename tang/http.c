/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HTTP exchanges on libcurl. */
#include "tang/http.h"

#include "tang/url.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

/* CURLE_TOO_LARGE of libcurl 8.6, which older headers do not know. */
#define CURLCODE_TOO_LARGE ((CURLcode)100)

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl says what it is called with. */
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http *http = arg;

	if (*line == '\r' || *line == '\n')
		http->headers_ended = true;
	http->header_bytes += size * n;
	return http->header_bytes > FETCH_REPLY_MAX ? 0 : size * n;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http *http = arg;

	return buf_append(&http->body, data, size * n) < 0 ? 0 : size * n;
}

/* The limit is the kernel's, for each address: so a dead one does not hide a server's others. */
static int on_new_socket(void *unused, curl_socket_t fd, curlsocktype purpose)
{
	unsigned limit_ms = HTTP_CONNECT_MS;

	(void)unused;
	(void)purpose;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms));
	return CURL_SOCKOPT_OK;
}

static bool set_numbers(const struct libcurl *curl, CURL *easy)
{
	static const struct {
		CURLoption option;
		long value;
	} options[] = {
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_QUICK_EXIT, 1},
		{CURLOPT_FOLLOWLOCATION, 0},
		{CURLOPT_NETRC, CURL_NETRC_IGNORED},
		{CURLOPT_PATH_AS_IS, 1},
		{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
		{CURLOPT_HTTP09_ALLOWED, 0},
		{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
		{CURLOPT_SSL_SESSIONID_CACHE, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (curl->easy_setopt(easy, options[i].option, options[i].value) != CURLE_OK)
			return false;
	return curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl->easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
}

static bool set_callbacks(const struct libcurl *curl, struct http *http)
{
	CURL *easy = http->transfer.easy;

	return curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl->easy_setopt(easy, CURLOPT_HEADERDATA, http) == CURLE_OK &&
	       curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl->easy_setopt(easy, CURLOPT_WRITEDATA, http) == CURLE_OK &&
	       curl->easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket) == CURLE_OK &&
	       curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, http->detail) == CURLE_OK;
}

/* A key that is pinned without a CA is all the proof that is wanted. */
static bool set_trust(const struct libcurl *curl, CURL *easy, const struct fetch_request *request)
{
	bool by_key_alone = request->pubkey && !request->ca;

	if (request->ca && (curl->easy_setopt(easy, CURLOPT_CAINFO, request->ca) != CURLE_OK ||
			    curl->easy_setopt(easy, CURLOPT_CAPATH, NULL) != CURLE_OK))
		return false;
	if (request->pubkey &&
	    curl->easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, request->pubkey) != CURLE_OK)
		return false;
	return curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, by_key_alone ? 0L : 1L) ==
		       CURLE_OK &&
	       curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, by_key_alone ? 0L : 2L) == CURLE_OK;
}

static bool set_request(const struct libcurl *curl, struct http *http,
			const struct fetch_request *request)
{
	/* A name without a value keeps libcurl from sending its own. */
	static const char *const lines[] = {
		"Accept:", "Expect:", "Content-Type: application/jwk+json"};
	size_t n = request->body.p ? ARRAY_SIZE(lines) : 1;
	CURL *easy = http->transfer.easy;

	for (size_t i = 0; i < n; i++) {
		struct curl_slist *headers = curl->slist_append(http->headers, lines[i]);

		if (!headers)
			return false;
		http->headers = headers;
	}
	if (request->body.p &&
	    (curl->easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.p) != CURLE_OK ||
	     curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->body.n) != CURLE_OK))
		return false;
	return curl->easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers) == CURLE_OK;
}

static int set_url(const struct libcurl *curl, struct transfer *transfer,
		   const struct fetch_request *request)
{
	char *url;
	int r;

	r = url_join(request->base, request->path, &url);
	if (r < 0)
		return r;

	transfer->server = strndup(url, strlen(url) - strlen(request->path));
	r = curl->easy_setopt(transfer->easy, CURLOPT_URL, url) == CURLE_OK && transfer->server
		    ? 0
		    : -ENOMEM;
	free(url);
	return r;
}

/* libcurl takes a pinned key of any other form for the name of a file. */
static int check_request(const struct fetch_request *request, const struct log *log)
{
	if (request->pubkey && strncmp(request->pubkey, "sha256//", strlen("sha256//")) != 0)
		return log_err(log, -EBADMSG, "%.200s: the pinned public key is not sha256//...",
			       request->base);
	if (request->ca && access(request->ca, R_OK) < 0)
		return log_err(log, -ENOENT, "%.200s: the CA file %.200s cannot be read: %s",
			       request->base, request->ca, strerror(errno));
	return 0;
}

int http_init(struct http *http, struct pool *pool, const struct fetch_request *request,
	      const struct log *log)
{
	const struct libcurl *curl = &pool->curl;
	int r;

	*http = (struct http){.pool = pool};
	r = check_request(request, log);
	if (r < 0)
		return r;

	http->transfer.easy = curl->easy_init();
	if (!http->transfer.easy)
		return -ENOMEM;

	r = set_url(curl, &http->transfer, request);
	if (r == -EBADMSG || r == -E2BIG)
		return log_err(log, r, "%.200s: this is not the URL of a Tang server",
			       request->base);
	if (r < 0)
		return r;
	if (!set_numbers(curl, http->transfer.easy) || !set_callbacks(curl, http) ||
	    !set_trust(curl, http->transfer.easy, request) || !set_request(curl, http, request))
		return log_err(log, -EOPNOTSUPP,
			       "%.200s: this build of libcurl lacks an option that is needed",
			       request->base);

	return buf_init(&http->body, FETCH_REPLY_MAX);
}

void http_done(struct http *http)
{
	if (http->transfer.easy) {
		http_stop(http);
		http->pool->curl.easy_cleanup(http->transfer.easy);
		http->pool->curl.slist_free_all(http->headers);
	}
	free(http->transfer.server);
	buf_done(&http->body);
	if (http->pool)
		pool_unref(http->pool);
	*http = (struct http){0};
}

/*
 * A name is resolved once for as long as anything here lasts. One that could not be must not come
 * from the cache when it is tried again: libcurl since 8.16 keeps such names too.
 */
int http_begin(struct http *http)
{
	long cache_s = http->transfer.result == CURLE_COULDNT_RESOLVE_HOST ? 0 : 3600;

	http->body.n = 0;
	http->header_bytes = 0;
	http->headers_ended = false;
	http->detail[0] = '\0';
	if (http->pool->curl.easy_setopt(http->transfer.easy, CURLOPT_DNS_CACHE_TIMEOUT, cache_s) !=
	    CURLE_OK)
		return -ENOMEM;
	return pool_add(http->pool, &http->transfer);
}

void http_stop(struct http *http)
{
	pool_remove(http->pool, &http->transfer);
}

void http_lose(struct http *http, const struct verdict *why)
{
	pool_lose(http->pool, &http->transfer, why);
	http_stop(http);
}

static struct verdict verdict_connect(int os_errno)
{
	switch (os_errno) {
	case ECONNREFUSED:
		return (struct verdict){-ECONNREFUSED, BRIEFLY, "connection refused"};
	case ENETUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
		return (struct verdict){-ENETUNREACH, UNTIL_DEADLINE, "network unreachable"};
	case EHOSTUNREACH:
		return (struct verdict){-EHOSTUNREACH, UNTIL_DEADLINE, "no route to host"};
	case ETIMEDOUT:
		return (struct verdict){-ETIMEDOUT, UNTIL_DEADLINE, "no answer within 3 s"};
	default:
		return (struct verdict){-EHOSTUNREACH, UNTIL_DEADLINE, "no connection"};
	}
}

/*
 * A server that accepts and then closes without a byte is most likely on its way down or up, as one
 * that refuses is; once it has begun to answer, it has said what it says.
 */
static struct verdict verdict_broken(const struct http *http)
{
	if (http->header_bytes == 0)
		return (struct verdict){-ECONNREFUSED, BRIEFLY,
					"it closed the connection without an answer"};
	return (struct verdict){-EPROTO, NEVER,
				"it closed the connection in the middle of its reply"};
}

struct verdict http_verdict(const struct http *http)
{
	static const struct verdict too_long = {-EPROTO, NEVER,
						"its reply is longer than 65536 bytes"};
	long os_errno = 0, request_size = 0;

	switch (http->transfer.result) {
	case CURLE_OK:
		return http->headers_ended ? (struct verdict){0} : verdict_broken(http);
	case CURLE_COULDNT_RESOLVE_HOST:
		return (struct verdict){-EHOSTUNREACH, UNTIL_DEADLINE,
					"its name cannot be resolved"};
	case CURLE_COULDNT_CONNECT:
		(void)http->pool->curl.easy_getinfo(http->transfer.easy, CURLINFO_OS_ERRNO,
						    &os_errno);
		return verdict_connect((int)os_errno);
	case CURLE_OPERATION_TIMEDOUT:
		return verdict_connect(ETIMEDOUT);
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		return verdict_broken(http);
	case CURLE_WRITE_ERROR:
		return too_long;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return (struct verdict){-EKEYREJECTED, NEVER, "certificate problem"};
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return (struct verdict){-EKEYREJECTED, NEVER,
					"its public key does not match the pinned one"};
	case CURLE_SSL_CONNECT_ERROR:
		return (struct verdict){-EPROTO, NEVER, "it does not speak TLS as it should"};
	case CURLE_OUT_OF_MEMORY: /* before libcurl 8.6 also a header line of 100 KB */
		(void)http->pool->curl.easy_getinfo(http->transfer.easy, CURLINFO_REQUEST_SIZE,
						    &request_size);
		return request_size > 0 ? too_long
					: (struct verdict){-ENOMEM, NEVER, "out of memory"};
	default:
		return http->transfer.result == CURLCODE_TOO_LARGE
			       ? too_long
			       : (struct verdict){-EPROTO, NEVER, "it does not speak HTTP"};
	}
}

struct verdict http_verdict_pending(const struct http *http)
{
	curl_off_t resolved_us = 0;

	if (http->transfer.state == TRANSFER_QUEUED)
		http = (const struct http *)pool_ahead(http->pool, &http->transfer);
	if (http->header_bytes > 0)
		return (struct verdict){-ETIMEDOUT, NEVER, "its reply did not come to an end"};

	(void)http->pool->curl.easy_getinfo(http->transfer.easy, CURLINFO_NAMELOOKUP_TIME_T,
					    &resolved_us);
	if (resolved_us == 0)
		return (struct verdict){-EHOSTUNREACH, UNTIL_DEADLINE,
					"its name cannot be resolved"};
	return (struct verdict){-ETIMEDOUT, UNTIL_DEADLINE, "no answer"};
}

long http_status(const struct http *http)
{
	long status = 0;

	(void)http->pool->curl.easy_getinfo(http->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}
