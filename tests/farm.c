/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * farm [OPTION]... ADDRESS:PORT [KEY.jwk]...: machines that all boot at once. Each client asks a Tang server
 * for recoveries, one after the other, and knows the right answer: to a point x times the generator the
 * server multiplies with its s, which the client gets as x times the server's public key. Writes one line of JSON.
 * The exit status is 0 if no recovery failed.
 *
 *   -n N        recoveries in all (1000)
 *   -c N        clients at a time (100)
 *   -k          keep connections alive; else a connection is for one request
 *   -a          before each recovery fetch the advertisement, check all its signatures and recover by its
 *               exchange key; no KEY is needed
 *   -g          fetch and check advertisements alone
 *   -t SECONDS  a request that took so long has failed (30)
 */
#include "crypto/ecmr.h"
#include "crypto/jws.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum {
	CLIENTS_MAX = 8192,
	CAUSES_MAX = 32,
	CAUSE_TEXT_MAX = 80,
	REQUEST_MAX = 1024,
	REPLY_MAX = 32 * 1024,
	POINTS = 32,    /* of each key that is known from the start */
	NEW_POINTS = 2, /* of each that is learned */
	EVENTS = 256,
};

/* A request of which the answer is known. */
struct question {
	char text[REQUEST_MAX];
	size_t n;
	json_t *answer; /* crv, kty, x and y */
};

struct exchange_key {
	char thumbprint[JWK_THUMBPRINT_MAX + 1];
	struct question questions[POINTS];
	size_t n_questions;
	struct exchange_key *next;
};

struct client {
	int fd; /* -1: between two connections */
	const struct exchange_key *key;
	const struct question *question; /* NULL: the advertisement is fetched */
	const char *request;
	size_t request_n, sent;
	uint64_t began_us; /* 0: it waits for its turn */
	bool answered;     /* on this connection before */
	char reply[REPLY_MAX];
	size_t n;
};

static struct {
	size_t recoveries, n_clients;
	bool keep_alive, advertisements, only_advertisements;
	uint64_t timeout_us;
	struct sockaddr_in server;
	const char *host; /* as the request has it */
} arg = {.recoveries = 1000, .n_clients = 100, .timeout_us = 30 * USEC_PER_SEC};

static struct client *clients;
static struct client *waiting[CLIENTS_MAX]; /* for their turn */
static struct exchange_key *keys;
static size_t n_waiting, n_keys, begun, done, failed;
static uint32_t *times_us;
static struct {
	char text[CAUSE_TEXT_MAX];
	size_t n;
} causes[CAUSES_MAX];
static char *last_advertisement; /* the last that was checked */
static struct exchange_key *advertised;
static char advertisement_request[REQUEST_MAX];
static int epoll_fd;

/* --- questions --- */

static void make_question(const struct jwk *server, const char *thumbprint, struct question *ret)
{
	CLEANUP(jwk_done) struct jwk own = {0}, product = {0};
	CLEANUP_JSON json_t *point = NULL;
	char *text = NULL;
	int n;

	if (jwk_generate(server->curve, &own) < 0 || ecmr_mul(server, &own, &product) < 0)
		errx(1, "cannot make a point");
	point = jwk_to_json(&own);
	ret->answer = jwk_to_json(&product);
	if (!point || !ret->answer || json_object_set_new(point, "alg", json_string("ECMR")) != 0 ||
	    js_dump(point, &text) < 0)
		errx(1, "out of memory");
	n = snprintf(ret->text, sizeof(ret->text),
		     "POST /rec/%s HTTP/1.1\r\nHost: %s\r\n%sContent-Type: application/jwk+json\r\n"
		     "Content-Length: %zu\r\n\r\n%s",
		     thumbprint, arg.host, arg.keep_alive ? "" : "Connection: close\r\n",
		     strlen(text), text);
	if (n < 0 || (size_t)n >= sizeof(ret->text))
		errx(1, "a request is too long");
	ret->n = (size_t)n;
	free(text);
}

/* The key as we know it, whether since now or before. */
static struct exchange_key *know_key(const struct jwk *public, size_t n_questions)
{
	char thumbprint[JWK_THUMBPRINT_MAX + 1];
	struct exchange_key *key;

	if (jwk_thumbprint(public, "S256", thumbprint) < 0)
		errx(1, "a key has no thumbprint");
	for (key = keys; key; key = key->next)
		if (strcmp(key->thumbprint, thumbprint) == 0)
			return key;

	key = calloc(1, sizeof(*key));
	if (!key)
		errx(1, "out of memory");
	memcpy(key->thumbprint, thumbprint, sizeof(thumbprint));
	for (; key->n_questions < n_questions; key->n_questions++)
		make_question(public, thumbprint, &key->questions[key->n_questions]);
	key->next = keys;
	keys = key;
	n_keys++;
	return key;
}

static void read_key_file(const char *path)
{
	CLEANUP(jwk_done) struct jwk key = {0};
	static char text[JWK_TEXT_MAX];
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof(text), f) : 0;

	if (!f || fclose(f) != 0)
		err(1, "%s", path);
	if (jwk_read((struct ref){(uint8_t *)text, n}, &key) < 0)
		errx(1, "%s is not a key", path);
	if (jwk_allows(&key, JWK_OP_DERIVE_KEY))
		(void)know_key(&key, POINTS);
	explicit_bzero(text, sizeof(text));
}

/* --- answers --- */

static const char *check_point(const struct question *question, const char *body)
{
	CLEANUP_JSON json_t *json = NULL;
	const char *name;
	json_t *value;

	if (js_load(ref_str(body), &json) < 0)
		return "the answer is no JSON";
	json_object_foreach(question->answer, name, value)
		if (!json_equal(value, json_object_get(json, name)))
			return "the answer is another point";
	return json_object_get(json, "d") ? "the answer holds a private key" : NULL;
}

/* Every advertised signing key must have signed; the exchange key becomes `advertised`. */
static const char *check_keys(const json_t *jws, const json_t *set)
{
	struct exchange_key *exchange = NULL;
	size_t i, signers = 0;
	json_t *each;

	json_array_foreach(json_object_get(set, "keys"), i, each) {
		CLEANUP(jwk_done) struct jwk key = {0};
		unsigned ops;

		if (jwk_from_json(each, &key) < 0 || jwk_json_ops(each, &ops) < 0)
			return "an advertised key cannot be read";
		if (json_object_get(each, "d"))
			return "the advertisement holds a private key";
		if (ops & JWK_OP_VERIFY) {
			signers++;
			if (jws_verify(jws, &key) < 0)
				return "an advertised key did not sign the advertisement";
		}
		if (ops & JWK_OP_DERIVE_KEY)
			exchange = know_key(&key, NEW_POINTS);
	}
	if (signers == 0 || !exchange)
		return "the advertisement has no pair of keys";
	advertised = exchange;
	return NULL;
}

static const char *check_advertisement(const char *body)
{
	CLEANUP_JSON json_t *jws = NULL, *set = NULL;
	CLEANUP(buf_done) struct buf payload = {0};
	const char *cause;

	if (last_advertisement && strcmp(last_advertisement, body) == 0)
		return NULL;
	if (js_load(ref_str(body), &jws) < 0 || jws_payload(jws, &payload) < 0 ||
	    js_load(buf_ref(&payload), &set) < 0)
		return "the advertisement is not a JWS";
	cause = check_keys(jws, set);
	if (!cause) {
		free(last_advertisement);
		last_advertisement = strdup(body);
	}
	return cause;
}

/* --- clients --- */

static void hang_up(struct client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
}

/* Has begin_waiting() go on with it. */
static void await_turn(struct client *c)
{
	c->began_us = 0;
	waiting[n_waiting++] = c;
}

static void fail(struct client *c, const char *cause)
{
	char text[CAUSE_TEXT_MAX];
	size_t i = 0;

	(void)snprintf(text, sizeof(text), "%s%s%s", c->question ? "" : "advertisement: ",
		       c->answered ? "later on a connection: " : "", cause);
	while (i + 1 < CAUSES_MAX && causes[i].n > 0 && strcmp(causes[i].text, text) != 0)
		i++;
	memcpy(causes[i].text, text, sizeof(text));
	causes[i].n++;
	failed++;
	hang_up(c);
	await_turn(c);
}

static void fail_errno(struct client *c, const char *what)
{
	char text[CAUSE_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	fail(c, text);
}

static int dial(struct client *c)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
	const int on = 1;

	c->answered = false;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return -errno;
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(c->fd, (struct sockaddr *)&arg.server, sizeof(arg.server)) < 0 &&
	    errno != EINPROGRESS)
		return -errno;
	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0 ? -errno : 0;
}

static void send_request(struct client *c)
{
	ssize_t n;

	if (c->sent == c->request_n)
		return;
	n = send(c->fd, c->request + c->sent, c->request_n - c->sent, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
		return;
	if (n < 0)
		fail_errno(c, c->sent == 0 ? "connecting" : "sending");
	else
		c->sent += (size_t)n;
}

static void ask(struct client *c, const char *request, size_t n)
{
	c->request = request;
	c->request_n = n;
	c->sent = 0;
	c->n = 0;
	if (c->fd >= 0) {
		send_request(c);
		return;
	}
	errno = -dial(c);
	if (errno != 0)
		fail_errno(c, "connecting");
}

static void ask_point(struct client *c)
{
	c->question = &c->key->questions[begun % c->key->n_questions];
	ask(c, c->question->text, c->question->n);
}

static void begin_waiting(void)
{
	while (n_waiting > 0 && begun < arg.recoveries) {
		struct client *c = waiting[--n_waiting];

		begun++;
		c->began_us = now_us();
		c->question = NULL;
		if (arg.advertisements)
			ask(c, advertisement_request, strlen(advertisement_request));
		else
			ask_point(c);
	}
}

/* The reply is complete: its body, NUL-terminated, is to be judged. */
static void judge(struct client *c, const char *body, bool closing)
{
	const char *cause;
	unsigned status = (unsigned)strtoul(c->reply + strlen("HTTP/1.1 "), NULL, 10);
	char text[CAUSE_TEXT_MAX];

	if (status != 200) {
		(void)snprintf(text, sizeof(text), "HTTP %u", status);
		fail(c, text);
		return;
	}
	cause = c->question ? check_point(c->question, body) : check_advertisement(body);
	if (cause) {
		fail(c, cause);
		return;
	}
	c->answered = true;
	if (closing || !arg.keep_alive)
		hang_up(c);
	if (!c->question && !arg.only_advertisements) {
		c->key = advertised;
		ask_point(c);
		return;
	}
	times_us[done++] = (uint32_t)(now_us() - c->began_us);
	await_turn(c);
}

/* Whether the reply is all there. */
static bool is_complete(struct client *c, const char **ret_body, bool *ret_closing)
{
	char *body, *field;
	size_t length;

	c->reply[c->n] = '\0';
	body = strstr(c->reply, "\r\n\r\n");
	if (!body || strncmp(c->reply, "HTTP/1.", strlen("HTTP/1.")) != 0)
		return false;
	field = strcasestr(c->reply, "\r\nContent-Length:");
	if (!field || field > body)
		return false;
	length = strtoul(field + strlen("\r\nContent-Length:"), NULL, 10);
	body += 4;
	if (c->n - (size_t)(body - c->reply) != length)
		return false;
	field = strcasestr(c->reply, "\r\nConnection: close");
	*ret_closing = field && field < body;
	*ret_body = body;
	return true;
}

static void receive(struct client *c)
{
	const char *body;
	bool closing;

	for (;;) {
		ssize_t n = recv(c->fd, c->reply + c->n, sizeof(c->reply) - 1 - c->n, 0);

		if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
			return;
		if (n < 0) {
			fail_errno(c, c->sent == 0 ? "connecting" : "receiving");
			return;
		}
		if (n == 0) {
			fail(c, c->n == 0 ? "closed without an answer" : "closed within an answer");
			return;
		}
		c->n += (size_t)n;
		if (is_complete(c, &body, &closing)) {
			judge(c, body, closing);
			return;
		}
	}
}

static void cut_late(void)
{
	for (size_t i = 0; i < arg.n_clients; i++) {
		struct client *c = &clients[i];

		if (c->began_us != 0 && now_us() - c->began_us > arg.timeout_us)
			fail(c, c->sent == 0 ? "timed out, not connected"
				: c->n == 0  ? "timed out, no answer"
					     : "timed out within an answer");
	}
}

static void run(void)
{
	struct epoll_event events[EVENTS];
	uint64_t looked_us = now_us();

	while (done + failed < arg.recoveries) {
		int n;

		begin_waiting();
		n = epoll_wait(epoll_fd, events, EVENTS, 100);
		if (n < 0 && errno != EINTR)
			err(1, "epoll_wait");
		for (int i = 0; i < n; i++) {
			struct client *c = events[i].data.ptr;
			int fd = c->fd;

			if (fd >= 0 && (events[i].events & EPOLLOUT))
				send_request(c);
			if (fd >= 0 && c->fd == fd &&
			    (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
				receive(c);
		}
		if (now_us() - looked_us > 100 * USEC_PER_MSEC) {
			cut_late();
			looked_us = now_us();
		}
	}
}

/* --- the whole --- */

static int compare_times(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double percentile_ms(size_t percent)
{
	return done == 0 ? 0 : times_us[(done - 1) * percent / 100] / 1000.0;
}

static void report(double seconds)
{
	qsort(times_us, done, sizeof(*times_us), compare_times);
	printf("{\"recovered\":%zu,\"failed\":%zu,\"seconds\":%.3f,\"rate\":%.0f,\"p50_ms\":%.2f,"
	       "\"p99_ms\":%.2f,\"max_ms\":%.2f,\"exchange_keys\":%zu,\"causes\":{",
	       done, failed, seconds, (double)done / seconds, percentile_ms(50), percentile_ms(99),
	       percentile_ms(100), n_keys);
	for (size_t i = 0; i < CAUSES_MAX && causes[i].n > 0; i++)
		printf("%s\"%s\":%zu", i == 0 ? "" : ",", causes[i].text, causes[i].n);
	printf("}}\n");
}

static size_t number(const char *text, size_t max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end != '\0' || n > max)
		errx(2, "\"%s\" is not a number up to %zu", text, max);
	return n;
}

static void address(const char *text, struct sockaddr_in *ret)
{
	char host[INET_ADDRSTRLEN + 1] = "";
	const char *colon = strchrnul(text, ':');

	(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	ret->sin_family = AF_INET;
	if (inet_pton(AF_INET, host, &ret->sin_addr) != 1)
		errx(2, "\"%s\" is not an IPv4 address", host);
	if (*colon == ':')
		ret->sin_port = htons((uint16_t)number(colon + 1, UINT16_MAX));
}

static void read_arguments(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:c:kagt:")) >= 0)
		switch (c) {
		case 'n':
			arg.recoveries = number(optarg, 100 * 1000 * 1000);
			break;
		case 'c':
			arg.n_clients = number(optarg, CLIENTS_MAX);
			break;
		case 'k':
			arg.keep_alive = true;
			break;
		case 'a':
			arg.advertisements = true;
			break;
		case 'g':
			arg.advertisements = arg.only_advertisements = true;
			break;
		case 't':
			arg.timeout_us = number(optarg, 3600) * USEC_PER_SEC;
			break;
		default:
			exit(2);
		}
	if (optind == argc)
		errx(2, "which server?");
	arg.host = argv[optind];
	address(arg.host, &arg.server);
	for (int i = optind + 1; i < argc; i++)
		read_key_file(argv[i]);
	if (!keys && !arg.advertisements)
		errx(2, "there is no exchange key");
	(void)snprintf(advertisement_request, sizeof(advertisement_request),
		       "GET /adv HTTP/1.1\r\nHost: %s\r\n%s\r\n", arg.host,
		       arg.keep_alive ? "" : "Connection: close\r\n");
}

int main(int argc, char **argv)
{
	struct rlimit files;
	const struct exchange_key *key;
	uint64_t began_us;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	read_arguments(argc, argv);
	clients = calloc(arg.n_clients, sizeof(*clients));
	times_us = calloc(arg.recoveries, sizeof(*times_us));
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!clients || !times_us || epoll_fd < 0)
		err(1, "cannot begin");

	began_us = now_us();
	key = keys;
	for (size_t i = 0; i < arg.n_clients; i++) {
		clients[i].fd = -1;
		if (!arg.advertisements) {
			clients[i].key = key;
			key = key->next ? key->next : keys;
		}
		await_turn(&clients[i]);
	}
	run();
	report((double)(now_us() - began_us) / USEC_PER_SEC);
	return failed == 0 && done > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
