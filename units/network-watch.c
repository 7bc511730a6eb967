/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hears the kernel's messages about the network. */
#include "units/network-watch.h"

#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

static int on_message(sd_event_source *source, int fd, uint32_t events, void *to)
{
	const struct network_watch *watch = to;
	char ignored[2048];

	(void)source;
	(void)events;
	/* What is new does not matter; an overrun (ENOBUFS) is news as well. */
	while (recv(fd, ignored, sizeof(ignored), MSG_DONTWAIT) > 0)
		;
	watch->on_change(watch->to);
	return 0;
}

void network_watch_begin(struct network_watch *watch, sd_event *event)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	sd_event_source *source = NULL;

	if (fd < 0)
		return;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    sd_event_add_io(event, &source, fd, EPOLLIN, on_message, watch) < 0) {
		(void)close(fd);
		return;
	}
	(void)sd_event_source_set_io_fd_own(source, 1);
	(void)sd_event_source_set_floating(source, 1);
	(void)sd_event_source_unref(source);
}
