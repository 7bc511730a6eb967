/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sockets to listen on. */
#include "tang/server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <systemd/sd-daemon.h>

/* The kernel caps it by net.core.somaxconn: what waits there costs little. */
enum { BACKLOG = 65535 };

static int read_port(const char *text, in_port_t *ret)
{
	unsigned port = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		port = port * 10 + (unsigned)(*text - '0');
		if (port > UINT16_MAX)
			return -EINVAL;
	}
	*ret = htons((uint16_t)port);
	return 0;
}

int listen_address_read(const char *text, struct listen_address *ret)
{
	struct listen_address address = {0};
	const char *colon = strrchr(text, ':');
	bool brackets = text[0] == '[';
	char host[INET6_ADDRSTRLEN];
	size_t n;

	if (!colon || (brackets && (colon == text || colon[-1] != ']')))
		return -EINVAL;
	text += brackets;
	n = (size_t)(colon - text) - brackets;
	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';

	address.any.sa_family = brackets ? AF_INET6 : AF_INET;
	address.n = brackets ? sizeof(address.in6) : sizeof(address.in);
	if (inet_pton(address.any.sa_family, host,
		      brackets ? (void *)&address.in6.sin6_addr : &address.in.sin_addr) != 1 ||
	    read_port(colon + 1, brackets ? &address.in6.sin6_port : &address.in.sin_port) < 0)
		return -EINVAL;

	*ret = address;
	return 0;
}

struct listen_address listen_address_all(uint16_t port)
{
	return (struct listen_address){
		.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)},
		.n = sizeof(struct sockaddr_in6),
	};
}

void listen_address_write(const struct sockaddr *address, bool with_port, char ret[LISTEN_TEXT_MAX])
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
	char host[INET6_ADDRSTRLEN] = "";
	bool six = address->sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
	in_port_t port = address->sa_family == AF_INET6 ? in6->sin6_port : in->sin_port;

	if (address->sa_family == AF_INET6)
		(void)inet_ntop(six ? AF_INET6 : AF_INET,
				six ? &in6->sin6_addr.s6_addr[0] : &in6->sin6_addr.s6_addr[12],
				host, sizeof(host));
	else if (address->sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));

	if (!host[0])
		(void)snprintf(ret, LISTEN_TEXT_MAX, "local");
	else if (!with_port)
		(void)snprintf(ret, LISTEN_TEXT_MAX, "%s", host);
	else
		(void)snprintf(ret, LISTEN_TEXT_MAX, six ? "[%s]:%u" : "%s:%u", host, ntohs(port));
}

/* All addresses, on a kernel without IPv6. */
static struct listen_address without_ipv6(const struct listen_address *address)
{
	return (struct listen_address){
		.in = {.sin_family = AF_INET, .sin_port = address->in6.sin6_port},
		.n = sizeof(struct sockaddr_in),
	};
}

int listen_open(const struct listen_address *address, int *ret_fd)
{
	static const int on = 1;
	CLEANUP(close_fd) int fd = -1;
	bool six = address->any.sa_family == AF_INET6;
	bool all = six && IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr);
	const int off = !all;

	fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 && errno == EAFNOSUPPORT && all) {
		struct listen_address four = without_ipv6(address);

		return listen_open(&four, ret_fd);
	}
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (six && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0) ||
	    bind(fd, &address->any, address->n) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;

	*ret_fd = TAKE_VALUE(fd, -1);
	return 0;
}

int listen_add(struct listen_sockets *sockets, struct listen_socket socket)
{
	if (sockets->n == ARRAY_SIZE(sockets->of))
		return -E2BIG;
	sockets->of[sockets->n++] = socket;
	return 0;
}

static int inherit(struct listen_sockets *sockets, int fd, const char *name)
{
	struct listen_socket socket = {.fd = fd, .inherited = true};
	int r;

	r = sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, -1);
	if (r <= 0)
		return r < 0 ? r : -ENOTSUP;
	r = sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1);
	if (r == 0) {
		if (sockets->connection >= 0)
			return -E2BIG;
		sockets->connection = fd;
		return 0;
	}
	/* Several threads wait for it, and another may take what one was woken for. */
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return -errno;
	socket.metrics = strcmp(name, "metrics") == 0;
	return listen_add(sockets, socket);
}

int listen_inherit(struct listen_sockets *sockets)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(true, &names), r = n < 0 ? n : 0;

	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = inherit(sockets, SD_LISTEN_FDS_START + i, names[i]);
		free(names[i]);
	}
	free(names);
	return r;
}

void listen_done(struct listen_sockets *sockets)
{
	for (size_t i = 0; i < sockets->n; i++)
		(void)close(sockets->of[i].fd);
	close_fd(&sockets->connection);
	*sockets = LISTEN_SOCKETS_NONE;
}
