/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sockets that connections come from: our own, systemd's, or standard input and output. */
#pragma once

#include "crypto/buf.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum {
	LISTEN_MAX = 16,
	LISTEN_TEXT_MAX = 64, /* bytes of an address and port, with the NUL */
};

struct listen_address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t n;
};

/* Reads ADDR:PORT, or [ADDR]:PORT for IPv6. Errors: -EINVAL. */
MUST int listen_address_read(const char *text, struct listen_address *ret);

/* All addresses of both families at this port. */
struct listen_address listen_address_all(uint16_t port);

/* An address as a person writes it, IPv4 as IPv4 also on a socket for both; without its port where so told. */
void listen_address_write(const struct sockaddr *address, bool with_port,
			  char ret[LISTEN_TEXT_MAX]);

/* Opens a listening socket. Errors: those of socket(2) and bind(2). */
MUST int listen_open(const struct listen_address *address, int *ret_fd);

struct listen_socket {
	int fd;
	bool metrics;   /* for metrics, not for Tang */
	bool inherited; /* from systemd: it stays open when we have ended */
};

/* Closed by listen_done(). */
struct listen_sockets {
	struct listen_socket of[LISTEN_MAX];
	size_t n;
	int connection; /* one that systemd has accepted already; -1 where there is none */
};

#define LISTEN_SOCKETS_NONE ((struct listen_sockets){.connection = -1})

/* Takes the socket over. Errors: -E2BIG, the socket is then still the caller's. */
MUST int listen_add(struct listen_sockets *sockets, struct listen_socket socket);

/*
 * Adds what systemd hands over (sd_listen_fds(3)); a socket called "metrics" is for metrics. Errors:
 * -ENOTSUP (no stream socket), -E2BIG, those of sd_listen_fds_with_names(3).
 */
MUST int listen_inherit(struct listen_sockets *sockets);

void listen_done(struct listen_sockets *sockets);
