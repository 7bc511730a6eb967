/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses as text and back, sockets that listen, and those that systemd hands over. */
#include "tang/server/listen.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/un.h>
#include <sys/wait.h>

static void test_addresses(void **state)
{
	static const char *const good[] = {
		"127.0.0.1:80",       "0.0.0.0:0",         "[::]:65535",
		"[2001:db8::1]:9090", "255.255.255.255:1",
	};
	static const char *const bad[] = {
		"",
		":",
		"80",
		":80",
		"[]:80",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"127.0.0.1:-1",
		"127.0.0.1: 80",
		"127.0.0.1:80 ",
		"127.1:80",
		"::1:80",
		"[::1]80",
		"[::1]",
		"[::1:80",
		"::1]:80",
		"[127.0.0.1]:80",
		"[::1]]:80",
		"localhost:80",
		"[:80",
		"[::1%lo]:80",
		"[11111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc]:80",
		"127.0.0.1:0000000000000000000080x",
	};
	char text[LISTEN_TEXT_MAX];
	struct listen_address address;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(listen_address_read(good[i], &address), 0);
		listen_address_write(&address.any, true, text);
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (listen_address_read(bad[i], &address) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
}

static void test_peers(void **state)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	char text[LISTEN_TEXT_MAX];
	struct listen_address address;

	(void)state;
	assert_int_equal(listen_address_read("[::ffff:192.0.2.7]:99", &address), 0);
	listen_address_write(&address.any, false, text);
	assert_string_equal(text, "192.0.2.7");
	listen_address_write(&address.any, true, text);
	assert_string_equal(text, "192.0.2.7:99");
	assert_int_equal(listen_address_read("[2001:db8::1]:9090", &address), 0);
	listen_address_write(&address.any, false, text);
	assert_string_equal(text, "2001:db8::1");
	listen_address_write((const struct sockaddr *)&local, true, text);
	assert_string_equal(text, "local");
}

static int connect_to(int listening)
{
	struct listen_address address = {.n = sizeof(address.in6)};
	int fd;

	assert_int_equal(getsockname(listening, &address.any, &address.n), 0);
	fd = socket(address.any.sa_family, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	if (connect(fd, &address.any, address.n) < 0) {
		(void)close(fd);
		return -errno;
	}
	return fd;
}

static void test_open(void **state)
{
	struct listen_address address, taken = {.n = sizeof(taken.in6)};
	int fd = -1, second = -1, client;

	(void)state;
	assert_int_equal(listen_address_read("127.0.0.1:0", &address), 0);
	assert_int_equal(listen_open(&address, &fd), 0);
	client = connect_to(fd);
	assert_true(client >= 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);

	assert_int_equal(getsockname(fd, &taken.any, &taken.n), 0);
	assert_int_equal(listen_open(&taken, &second), -EADDRINUSE);
	assert_int_equal(second, -1);
	(void)close(client);
	(void)close(fd);

	/* It takes IPv4 as well where it is for all addresses. */
	address = listen_address_all(0);
	assert_int_equal(listen_open(&address, &fd), 0);
	assert_int_equal(getsockname(fd, &taken.any, &taken.n), 0);
	address = (struct listen_address){
		.in = {.sin_family = AF_INET,
		       .sin_port = taken.in6.sin6_port,
		       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
		.n = sizeof(address.in),
	};
	client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, &address.any, address.n), 0);
	(void)close(client);
	(void)close(fd);
}

static void test_add(void **state)
{
	struct listen_sockets sockets = LISTEN_SOCKETS_NONE;

	(void)state;
	for (size_t i = 0; i < LISTEN_MAX; i++)
		assert_int_equal(listen_add(&sockets, (struct listen_socket){.fd = dup(0)}), 0);
	assert_int_equal(listen_add(&sockets, (struct listen_socket){.fd = 0}), -E2BIG);
	listen_done(&sockets);
	assert_int_equal(sockets.n, 0);
	assert_int_equal(sockets.connection, -1);
	assert_true(fcntl(0, F_GETFD) >= 0);
}

enum handed { LISTENING, CONNECTED, DATAGRAM, PLAIN };

/* In a process whose descriptors from 3 on are these, as systemd makes it. */
static int inherit(const enum handed *handed, size_t n, const char *names,
		   int (*look)(const struct listen_sockets *sockets))
{
	struct listen_sockets sockets = LISTEN_SOCKETS_NONE;
	struct listen_address address = listen_address_all(0);
	pid_t child = fork();
	char number[24];
	int status;

	assert_true(child >= 0);
	if (child > 0) {
		assert_int_equal(waitpid(child, &status, 0), child);
		return WIFEXITED(status) ? (int8_t)WEXITSTATUS(status) : -ECHILD;
	}
	for (size_t i = 0; i < n; i++) {
		int fds[2] = {-1, -1}, fd = -1;

		if (handed[i] == LISTENING)
			(void)!listen_open(&address, &fd);
		else if (handed[i] == PLAIN)
			fd = open("/dev/null", O_RDONLY);
		else
			fd = socketpair(AF_UNIX, handed[i] == DATAGRAM ? SOCK_DGRAM : SOCK_STREAM,
					0, fds) == 0
				     ? fds[0]
				     : -1;
		if (fd < 0 || dup2(fd, 64 + (int)i) < 0)
			_exit(100);
	}
	for (size_t i = 0; i < n; i++)
		(void)dup2(64 + (int)i, 3 + (int)i);
	(void)snprintf(number, sizeof(number), "%d", (int)getpid());
	if (n > 0)
		(void)setenv("LISTEN_PID", number, 1);
	(void)snprintf(number, sizeof(number), "%zu", n);
	(void)setenv("LISTEN_FDS", number, 1);
	(void)setenv("LISTEN_FDNAMES", names, 1);
	status = listen_inherit(&sockets);
	_exit((uint8_t)(status < 0 ? status : look(&sockets)));
}

static int two_and_metrics(const struct listen_sockets *sockets)
{
	return sockets->n == 3 && sockets->connection < 0 && !sockets->of[0].metrics &&
			       !sockets->of[1].metrics && sockets->of[2].metrics &&
			       sockets->of[0].inherited && sockets->of[1].fd == 4 &&
			       fcntl(3, F_GETFL) & O_NONBLOCK && fcntl(3, F_GETFD) == FD_CLOEXEC
		       ? 0
		       : 1;
}

static int one_connection(const struct listen_sockets *sockets)
{
	return sockets->n == 0 && sockets->connection == 3 ? 0 : 1;
}

static int nothing(const struct listen_sockets *sockets)
{
	return sockets->n == 0 && sockets->connection < 0 ? 0 : 1;
}

static void test_inherit(void **state)
{
	static const enum handed three[] = {LISTENING, LISTENING, LISTENING};
	static const enum handed connection[] = {CONNECTED, CONNECTED};
	static const enum handed datagram[] = {DATAGRAM}, plain[] = {PLAIN};

	(void)state;
	assert_int_equal(inherit(three, 3, "a:b:metrics", two_and_metrics), 0);
	assert_int_equal(inherit(connection, 1, "connection", one_connection), 0);
	assert_int_equal(inherit(connection, 2, "a:b", one_connection), -E2BIG);
	assert_int_equal(inherit(datagram, 1, "a", nothing), -ENOTSUP);
	assert_int_equal(inherit(plain, 1, "a", nothing), -ENOTSUP);
	assert_int_equal(inherit(NULL, 0, "", nothing), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_peers),
		cmocka_unit_test(test_open),      cmocka_unit_test(test_add),
		cmocka_unit_test(test_inherit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
