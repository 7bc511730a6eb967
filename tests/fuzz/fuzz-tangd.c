/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection to cotter-tangd: the input is all that a client sends. */
#include "tang/server/keyring.h"
#include "tang/server/settings.h"
#include "tang/server/store.h"
#include "tang/server/worker.h"
#include "tests/fuzz/fuzz.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { INPUT_MAX = 16 * 1024, REPLY_MAX = 4 * 1024 * 1024 };

static const struct listen_sockets none = {.connection = -1};
static struct settings settings;
static struct notice notice;
static struct server *server;
static struct worker *worker;
static char folder[] = "/tmp/fuzz-tangd.XXXXXX";

static void make_keys(void)
{
	CLEANUP(keyring_done) struct keyring ring = {.folder = -1};
	char name[JWK_THUMBPRINT_MAX + 1];

	CHECK(mkdtemp(folder) && keyring_open(folder, KEYRING_CHANGE, &fuzz_log, &ring) == 0);
	CHECK(keyring_add(&ring, curve_by_name("P-256"), KEYRING_SIGNING, name) == 0);
	CHECK(keyring_add(&ring, curve_by_name("P-521"), KEYRING_EXCHANGE, name) == 0);
}

static void remove_keys(void)
{
	CLEANUP(keyring_done) struct keyring ring = {.folder = -1};

	CHECK(keyring_open(folder, KEYRING_CHANGE, &fuzz_log, &ring) == 0);
	for (size_t i = 0; i < ring.n; i++)
		CHECK(keyring_remove(&ring, &ring.files[i]) == 0);
	(void)rmdir(folder);
}

/* The keys stay in memory. */
static void begin(void)
{
	static char program[] = "cotter-tangd";
	char *argv[] = {program, folder, NULL};
	struct store *store = NULL;

	(void)signal(SIGPIPE, SIG_IGN);
	make_keys();
	CHECK(settings_parse(2, argv, &fuzz_log, &settings) == 0);
	settings.log = SETTINGS_LOG_NONE;
	notice_init(&notice, SETTINGS_LOG_NONE);
	CHECK(store_open(folder, &fuzz_log, &store) == 0);
	CHECK(server_new(&settings, store, &notice, &fuzz_log, &server) == 0);
	CHECK(worker_new(server, &none, WORKER_TANG, &worker) == 0);
	remove_keys();
}

struct visitor {
	int fd;
	struct ref input;
	size_t n; /* of the reply */
	uint8_t reply[REPLY_MAX];
};

/* Sends all, and only then reads. */
static void *talk(void *arg)
{
	struct visitor *visitor = arg;
	ssize_t n = 1;

	(void)!ref_write(visitor->input, visitor->fd);
	(void)shutdown(visitor->fd, SHUT_WR);
	while (n > 0) {
		n = read(visitor->fd, visitor->reply + visitor->n, REPLY_MAX - visitor->n);
		visitor->n += n > 0 ? (size_t)n : 0;
	}
	return NULL;
}

static void check_reply(const struct visitor *visitor)
{
	static const char *const known[] = {"100", "200", "400", "403", "404", "405", "408", "411",
					    "413", "414", "431", "500", "501", "503", "505"};
	static const char begin[] = "HTTP/1.1 ";
	const char *status = (const char *)visitor->reply + strlen(begin);
	bool found = false;

	if (visitor->n == 0)
		return;
	CHECK(visitor->n > 12 && (memcmp(visitor->reply, begin, 9) == 0 ||
				  memcmp(visitor->reply, "HTTP/1.0 ", 9) == 0));
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		found = found || memcmp(status, known[i], 3) == 0;
	CHECK(found);
	/* What a private key's file has. */
	CHECK(!memmem(visitor->reply, visitor->n, "\"d\":", 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct listen_address from = {.any.sa_family = AF_UNIX,
						   .n = sizeof(sa_family_t)};
	static struct visitor visitor;
	pthread_t thread;
	int pair[2];

	if (!worker)
		begin();
	if (n > INPUT_MAX)
		return 0;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	visitor.fd = pair[1];
	visitor.input = (struct ref){data, n};
	visitor.n = 0;
	CHECK(pthread_create(&thread, NULL, talk, &visitor) == 0);
	CHECK(worker_add(worker, pair[0], &from) == 0);
	CHECK(worker_run(worker) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	(void)close(pair[1]);
	check_reply(&visitor);
	return 0;
}
