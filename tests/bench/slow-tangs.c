/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * slow-tangs DELAY N ADVERTISEMENT EXCHANGE-KEY: N Tang servers with the same keys on loopback ports, which it
 * prints, in one process that costs next to nothing; each answers DELAY milliseconds after it was
 * asked. A process a request, as tangd has it, would have 32 servers wait for two processors.
 */
#include "crypto/ecmr.h"

#include <arpa/inet.h>
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	SERVERS_MAX = 64,
	CLIENTS_MAX = 256,
	REQUEST_MAX = 8192,
	REPLY_MAX = 16384,
	FILE_MAX = 8192
};

struct client {
	int fd; /* 0: this place is free */
	char request[REQUEST_MAX];
	size_t n;
	char reply[REPLY_MAX];
	uint64_t due_us; /* 0: not asked yet */
};

static struct client clients[CLIENTS_MAX];
static struct jwk exchange_key;
static char advertisement[FILE_MAX];

static struct ref read_file(const char *path, char text[FILE_MAX])
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, FILE_MAX - 1, f) : 0;

	if (!f || fclose(f) != 0)
		err(1, "%s", path);
	text[n] = '\0';
	return (struct ref){(const uint8_t *)text, n};
}

static int listen_anywhere(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		err(1, "socket");
	printf("%u\n", ntohs(address.sin_port));
	return fd;
}

static void write_reply(struct client *c, const char *type, const char *body)
{
	(void)snprintf(c->reply, sizeof(c->reply),
		       "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", type,
		       strlen(body), body);
}

static void exchange(struct client *c, const char *body)
{
	CLEANUP_JSON json_t *json = NULL, *answer = NULL;
	struct jwk point = {0}, product = {0};
	char *text = NULL;

	if (js_load(ref_str(body), &json) < 0 || jwk_from_json(json, &point) < 0 ||
	    ecmr_mul(&point, &exchange_key, &product) < 0)
		errx(1, "a request cannot be read: %s", body);
	answer = jwk_to_json(&product);
	if (!answer || json_object_set_new(answer, "alg", json_string("ECMR")) != 0 ||
	    js_dump(answer, &text) < 0)
		errx(1, "out of memory");
	write_reply(c, "application/jwk+json", text);
	free(text);
}

/* The body of a complete request; NULL where it is not all there. */
static const char *find_body(const struct client *c)
{
	const char *end = strstr(c->request, "\r\n\r\n");
	const char *length = strcasestr(c->request, "\r\nContent-Length:");

	if (!end)
		return NULL;
	end += 4;
	if (length && length < end &&
	    strlen(end) < strtoul(length + strlen("\r\nContent-Length:"), NULL, 10))
		return NULL;
	return end;
}

static void forget(struct client *c)
{
	(void)close(c->fd);
	c->fd = 0;
}

static void take_request(struct client *c, uint64_t delay_us)
{
	ssize_t n = read(c->fd, c->request + c->n, sizeof(c->request) - 1 - c->n);
	const char *body;

	if (n <= 0) {
		forget(c);
		return;
	}
	c->n += (size_t)n;
	c->request[c->n] = '\0';
	body = find_body(c);
	if (!body)
		return;

	c->due_us = now_us() + delay_us;
	if (strncmp(c->request, "POST ", 5) == 0)
		exchange(c, body);
	else
		write_reply(c, "application/jose+json", advertisement);
	c->n = 0;
}

static void give_reply(struct client *c)
{
	size_t n = strlen(c->reply);

	c->due_us = 0;
	if (write(c->fd, c->reply, n) != (ssize_t)n)
		forget(c);
}

static void accept_client(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	size_t i = 0;

	while (i < CLIENTS_MAX && clients[i].fd != 0)
		i++;
	if (fd < 0 || i == CLIENTS_MAX)
		errx(1, "too many clients");
	clients[i].fd = fd;
	clients[i].n = 0;
	clients[i].due_us = 0;
}

/* How long nothing is due, for poll(); what is due is given first. */
static int next_ms(void)
{
	uint64_t now = now_us(), next = UINT64_MAX;

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].fd != 0 && clients[i].due_us != 0 && clients[i].due_us <= now)
			give_reply(&clients[i]);
		if (clients[i].fd != 0 && clients[i].due_us != 0 && clients[i].due_us < next)
			next = clients[i].due_us;
	}
	return next == UINT64_MAX ? -1 : (int)((next - now + 999) / 1000);
}

int main(int argc, char **argv)
{
	static struct pollfd fds[SERVERS_MAX + CLIENTS_MAX];
	static char text[FILE_MAX];
	size_t n, delay_us;

	if (argc != 5)
		return 2;
	delay_us = strtoul(argv[1], NULL, 10) * USEC_PER_MSEC;
	n = strtoul(argv[2], NULL, 10);
	if (n > SERVERS_MAX)
		return 2;
	(void)read_file(argv[3], advertisement);
	if (jwk_read(read_file(argv[4], text), &exchange_key) < 0)
		errx(1, "%s is not a key", argv[4]);
	for (size_t i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = listen_anywhere(), .events = POLLIN};
	(void)fflush(stdout);

	for (;;) {
		int ms = next_ms();

		for (size_t i = 0; i < CLIENTS_MAX; i++)
			fds[n + i] = (struct pollfd){.fd = clients[i].fd ? clients[i].fd : -1,
						     .events = POLLIN};
		if (poll(fds, n + CLIENTS_MAX, ms) < 0)
			err(1, "poll");
		for (size_t i = 0; i < CLIENTS_MAX; i++)
			if (fds[n + i].revents != 0)
				take_request(&clients[i], delay_us);
		for (size_t i = 0; i < n; i++)
			if (fds[i].revents != 0)
				accept_client(fds[i].fd);
	}
}
