/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cotter-agent: answers the questions that systemd-cryptsetup asks for passphrases, when the volumes'
 * policies hold. Ends when nothing is asked any more; cotter-agent.path starts it again.
 */
#include "crypto/process.h"
#include "units/agent.h"
#include "units/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

static void tell_answer(const char *device, int token)
{
	(void)fprintf(stderr, SD_NOTICE "%s: token %d gave the passphrase\n", device, token);
}

static int on_folder(sd_event_source *source, const struct inotify_event *event, void *agent)
{
	(void)source;
	(void)event;
	agent_scan(agent);
	return 0;
}

static int on_network(sd_event_source *source, int fd, uint32_t events, void *agent)
{
	char ignored[2048];

	(void)source;
	(void)events;
	/* What is new does not matter; an overrun (ENOBUFS) is news as well. */
	while (recv(fd, ignored, sizeof(ignored), MSG_DONTWAIT) > 0)
		;
	agent_network_changed(agent);
	return 0;
}

/* Without it, tries are only further apart than they need be. */
static void watch_network(sd_event *event, struct agent *agent)
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
	    sd_event_add_io(event, &source, fd, EPOLLIN, on_network, agent) < 0) {
		(void)close(fd);
		return;
	}
	(void)sd_event_source_set_io_fd_own(source, 1);
	(void)sd_event_source_set_floating(source, 1);
	(void)sd_event_source_unref(source);
}

/* The caller unrefs *ret: one that floats leaks in libsystemd 252. */
static int watch(sd_event *event, struct agent *agent, sd_event_source **ret)
{
	int r = sd_event_set_signal_exit(event, 1);

	if (r >= 0)
		r = sd_event_add_inotify(event, ret, QUESTION_FOLDER,
					 IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE,
					 on_folder, agent);
	watch_network(event, agent);
	return r;
}

/* How long nothing is to be done, unless something happens; UINT64_MAX: for ever. */
static uint64_t pause_us(const struct agent *agent)
{
	uint64_t next = agent_next_us(agent), now = now_us();

	if (next == UINT64_MAX)
		return next;
	return next > now ? next - now : 0;
}

static int run(sd_event *event, struct agent *agent)
{
	int r = 0;

	agent_scan(agent);
	while (r >= 0 && agent->n_questions > 0 && sd_event_get_state(event) != SD_EVENT_FINISHED) {
		uint64_t pause = 0;

		agent_step(agent);
		if (!agent_running(agent))
			pause = pause_us(agent);
		else if (agent_wait(agent, sd_event_get_fd(event)) < 0)
			(void)log_dbg(agent->log, 0, "the wait was interrupted");
		r = sd_event_run(event, pause);
	}
	return r;
}

int main(void)
{
	const struct log log = journal_log();
	CLEANUP(agent_done) struct agent agent = {.log = &log, .on_answer = tell_answer};
	CLEANUP(sd_event_unrefp) sd_event *event = NULL;
	CLEANUP(sd_event_source_unrefp) sd_event_source *questions = NULL;
	int r;

	if (process_begin() < 0)
		return EXIT_FAILURE;
	agent.folder = open(QUESTION_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (agent.folder < 0)
		return EXIT_SUCCESS; /* nothing was ever asked */

	r = sd_event_new(&event);
	if (r >= 0)
		r = watch(event, &agent, &questions);
	if (r >= 0)
		r = run(event, &agent);
	(void)close(agent.folder);
	if (r < 0) {
		(void)log_err(&log, r, "cotter-agent cannot go on: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
