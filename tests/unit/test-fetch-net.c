/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests while the network is not there yet: no route, no name, a dead address. */
#include "tests/unit/hostile.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define ADV "{\"payload\":\"e30\",\"signatures\":[]}"

static struct server good;

/* The loopback interface of this test's own network namespace, which has no other. */
static void set_loopback(bool up)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo",
				.ifr_flags = (short)(up ? IFF_UP | IFF_RUNNING : 0)};

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	(void)close(fd);
}

static struct sockaddr_in address_of(const char *text, unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	assert_int_equal(inet_pton(AF_INET, text, &address.sin_addr), 1);
	return address;
}

static void add_address(const char *text)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = address_of(text, 0);
	struct ifreq request = {.ifr_name = "lo:1"};

	memcpy(&request.ifr_addr, &address, sizeof(address));
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFADDR, &request), 0);
	(void)close(fd);
}

/* As a router says that it knows no way to a host. */
static void make_unreachable(const char *host)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = address_of(host, 0), mask = address_of("255.255.255.255", 0);
	struct rtentry route = {.rt_flags = RTF_UP | RTF_HOST | RTF_REJECT};

	memcpy(&route.rt_dst, &to, sizeof(to));
	memcpy(&route.rt_genmask, &mask, sizeof(mask));
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCADDRT, &route), 0);
	(void)close(fd);
}

/* A socket of this kind at this address. */
static int make_socket(int type, const char *host, unsigned port)
{
	struct sockaddr_in address = address_of(host, port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(test_dir));
	write_file(in_dir("adv"), ADV);
	write_file(in_dir("hosts"), "127.0.0.1 localhost\n");
	write_file(in_dir("resolv.conf"), "nameserver 127.0.0.1\n");
	write_file(in_dir("nsswitch.conf"), "hosts: files dns\n");
	set_loopback(true);
	good = server_start((const char *const[]){"--host=0.0.0.0", "--adv", in_dir("adv"), NULL});
	return run((const char *const[]){
		"sh", "-c",
		"for f in hosts resolv.conf nsswitch.conf; do mount --bind $0/$f /etc/$f; done",
		test_dir, NULL});
}

static int tear_down(void **state)
{
	(void)state;
	server_stop(&good);
	return run((const char *const[]){
		"sh", "-c", "umount /etc/hosts /etc/resolv.conf /etc/nsswitch.conf && rm -r $0",
		test_dir, NULL});
}

static void test_no_network(void **state)
{
	CLEANUP(trial_done) struct trial t, u;

	(void)state;
	set_loopback(false);
	trial_init(&t, "http://10.0.0.1");
	t.deadline_ms = 1200;
	(void)trial_run(&t);
	assert_failed(&t, -ENETUNREACH, "network unreachable (tried for 1 s)");
	assert_took(&t, 1200, 1900);
	assert_in_range(t.retries, 3, 8);

	trial_init(&u, "http://[2001:db8::1]:7500/prefix");
	u.deadline_ms = 300;
	(void)trial_run(&u);
	set_loopback(true);
	assert_failed(&u, -ENETUNREACH, "network unreachable (tried for 0 s)");
}

static void test_no_route(void **state)
{
	CLEANUP(trial_done) struct trial t;

	(void)state;
	make_unreachable("10.9.9.9");
	trial_init(&t, "http://10.9.9.9");
	t.deadline_ms = 700;
	(void)trial_run(&t);
	assert_failed(&t, -EHOSTUNREACH, "no route to host (tried for 1 s)");
	assert_took(&t, 700, 1400);
}

static void network_comes(struct trial *t)
{
	if (t->retries == 3)
		add_address("10.7.7.7");
}

static void test_network_comes_late(void **state)
{
	CLEANUP(trial_done) struct trial t;

	(void)state;
	trial_init(&t, "http://10.7.7.7:%u", good.port);
	t.on_retry = network_comes;
	(void)trial_run(&t);
	assert_body(&t, ADV);
	assert_int_equal(t.retries, 3);
	assert_took(&t, 200, 1900);
}

/* Nobody is at port 53, so that each look-up fails at once. */
static void test_no_name(void **state)
{
	CLEANUP(trial_done) struct trial t;

	(void)state;
	trial_init(&t, "http://tang.example");
	t.deadline_ms = 1000;
	(void)trial_run(&t);
	assert_failed(&t, -EHOSTUNREACH, "its name cannot be resolved (tried for 1 s)");
	assert_took(&t, 1000, 1800);
	assert_in_range(t.retries, 3, 7);
}

static void name_comes(struct trial *t)
{
	if (t->retries == 2)
		write_file(in_dir("hosts"), "127.0.0.1 localhost late.example\n");
}

static void test_name_comes_late(void **state)
{
	CLEANUP(trial_done) struct trial t;

	(void)state;
	trial_init(&t, "http://late.example:%u", good.port);
	t.on_retry = name_comes;
	(void)trial_run(&t);
	assert_body(&t, ADV);
	assert_int_equal(t.retries, 2);
}

/* The resolver waits 10 s for such a server; nobody waits for the resolver. */
static void test_silent_name_server(void **state)
{
	int name_server = make_socket(SOCK_DGRAM, "127.0.0.1", 53);
	CLEANUP(trial_done) struct trial t;

	(void)state;
	trial_init(&t, "http://tang.example");
	t.deadline_ms = 1200;
	(void)trial_run(&t);
	assert_failed(&t, -EHOSTUNREACH, "its name cannot be resolved (tried for 1 s)");
	assert_took(&t, 1200, 1900);
	assert_int_equal(t.retries, 0);
	(void)close(name_server);
}

/* Of a name's look-up, however many requests to one server wait for it. */
static unsigned count_queries(size_t requests)
{
	int name_server = make_socket(SOCK_DGRAM, "127.0.0.1", 53);
	struct cot cot = {.deadline_us = now_us() + 1000 * USEC_PER_MSEC};
	struct trial trials[4];
	unsigned queries = 0;
	bool pending = true;
	char query[512];

	for (size_t i = 0; i < requests; i++) {
		struct trial *t = &trials[i];

		trial_init(t, "http://tang.example");
		t->r = fetch_start(&cot, &t->log, &t->request, &t->fetch);
		assert_int_equal(t->r, 0);
	}
	while (pending) {
		pending = false;
		for (size_t i = 0; i < requests; i++) {
			trials[i].r = fetch_step(&cot, trials[i].fetch, &trials[i].reply);
			pending |= trials[i].r == -EINPROGRESS;
		}
		if (pending)
			assert_int_equal(cot_wait(&cot), 0);
	}
	for (size_t i = 0; i < requests; i++) {
		assert_failed(&trials[i], -EHOSTUNREACH, "its name cannot be resolved");
		trial_done(&trials[i]);
	}
	cot_done(&cot);
	while (recv(name_server, query, sizeof(query), MSG_DONTWAIT) > 0)
		queries++;
	(void)close(name_server);
	return queries;
}

static void test_one_look_up(void **state)
{
	unsigned queries = count_queries(1);

	(void)state;
	assert_in_range(queries, 1, 4);
	assert_int_equal(count_queries(4), queries);
}

/* A name with two addresses, of which the first, by the resolver's order, refuses. */
static void test_refusing_address(void **state)
{
	struct server live = server_start(
		(const char *const[]){"--host=127.0.0.2", "--adv", in_dir("adv"), NULL});
	CLEANUP(trial_done) struct trial t;

	(void)state;
	write_file(in_dir("hosts"), "127.0.0.1 twice.example\n127.0.0.2 twice.example\n");
	trial_init(&t, "http://twice.example:%u", live.port);
	(void)trial_run(&t);
	server_stop(&live);
	assert_body(&t, ADV);
	assert_int_equal(t.retries, 0);
	assert_took(&t, 0, 1500);
}

/* The same, where the first does not answer: its queue of connections is full. */
static void test_dead_address(void **state)
{
	struct server live = server_start(
		(const char *const[]){"--host=127.0.0.2", "--adv", in_dir("adv"), NULL});
	struct sockaddr_in dead = address_of("127.0.0.1", live.port);
	int listener = make_socket(SOCK_STREAM, "127.0.0.1", live.port), fillers[3];
	CLEANUP(trial_done) struct trial t;

	(void)state;
	write_file(in_dir("hosts"), "127.0.0.1 twice.example\n127.0.0.2 twice.example\n");
	assert_int_equal(listen(listener, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fillers); i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&dead, sizeof(dead));
	}

	trial_init(&t, "http://twice.example:%u", live.port);
	(void)trial_run(&t);
	server_stop(&live);
	assert_body(&t, ADV);
	assert_int_equal(t.retries, 0);
	assert_took(&t, 2900, 4500);

	(void)close(listener);
	for (size_t i = 0; i < ARRAY_SIZE(fillers); i++)
		(void)close(fillers[i]);
}

static char self[4096];

static void test_in_own_namespaces(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(run((const char *const[]){"unshare", "-mn", self, "inside", NULL}), 0);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest outside[] = {
		cmocka_unit_test(test_in_own_namespaces),
	};
	static const struct CMUnitTest inside[] = {
		cmocka_unit_test(test_no_network),
		cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_network_comes_late),
		cmocka_unit_test(test_no_name),
		cmocka_unit_test(test_name_comes_late),
		cmocka_unit_test(test_silent_name_server),
		cmocka_unit_test(test_one_look_up),
		cmocka_unit_test(test_refusing_address),
		cmocka_unit_test(test_dead_address),
	};

	(void)argv;
	if (argc > 1)
		return cmocka_run_group_tests(inside, set_up, tear_down);
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	return cmocka_run_group_tests(outside, NULL, NULL);
}
