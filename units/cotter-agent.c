/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cotter-agent: answers the questions that systemd-cryptsetup asks for passphrases, when the volumes'
 * policies hold. Ends when nothing is asked any more; cotter-agent.path starts it again.
 */
#include "crypto/process.h"
#include "units/agent.h"
#include "units/journal.h"
#include "units/network-watch.h"
#include "units/pin-question.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

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

static void on_change(void *agent)
{
	agent_something_changed(agent);
}

/* It is read in the next step. */
static int on_typed(sd_event_source *source, int fd, uint32_t events, void *to)
{
	(void)source;
	(void)fd;
	(void)events;
	(void)to;
	return 0;
}

/* The caller unrefs both sources: one that floats leaks in libsystemd 252. */
static int watch(sd_event *event, struct agent *agent, sd_event_source **ret_questions,
		 sd_event_source **ret_typed)
{
	int r = sd_event_set_signal_exit(event, 1);

	if (r >= 0)
		r = sd_event_add_inotify(event, ret_questions, QUESTION_FOLDER,
					 IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE,
					 on_folder, agent);
	if (r >= 0)
		r = sd_event_add_io(event, ret_typed, agent->typed, EPOLLIN, on_typed, NULL);
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
			(void)log_dbg(agent->round.log, 0, "the wait was interrupted");
		r = sd_event_run(event, pause);
	}
	return r;
}

int main(void)
{
	const struct log log = journal_log();
	CLEANUP(agent_done) struct agent agent = {.round.log = &log, .on_answer = tell_answer};
	CLEANUP(sd_event_unrefp) sd_event *event = NULL;
	CLEANUP(sd_event_source_unrefp) sd_event_source *questions = NULL;
	CLEANUP(sd_event_source_unrefp) sd_event_source *typed = NULL;
	struct network_watch network = {.on_change = on_change, .to = &agent};
	int r;

	if (process_begin() < 0)
		return EXIT_FAILURE;
	agent.folder = open(QUESTION_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (agent.folder < 0)
		return EXIT_SUCCESS; /* nothing was ever asked */

	pin_question_sweep(agent.folder);
	agent.typed = epoll_create1(EPOLL_CLOEXEC);
	r = agent.typed < 0 ? -errno : sd_event_new(&event);
	if (r >= 0)
		r = watch(event, &agent, &questions, &typed);
	if (r >= 0) {
		network_watch_begin(&network, event);
		r = run(event, &agent);
	}
	(void)close(agent.folder);
	if (agent.typed >= 0)
		(void)close(agent.typed);
	if (r < 0) {
		(void)log_err(&log, r, "cotter-agent cannot go on: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
