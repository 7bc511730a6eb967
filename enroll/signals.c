/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds signals back and gives them back. */
#include "enroll/signals.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>

/* The stop is the last. */
static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
static_assert(ARRAY_SIZE(numbers) <= SIGNALS_MAX, "room for their actions");

/* The last one that came while signals_poll() waited; a handler can write to nothing else. */
static volatile sig_atomic_t noted;

static void note(int number)
{
	noted = number;
}

static size_t count(const struct signals *held)
{
	return ARRAY_SIZE(numbers) - (held->stops ? 0 : 1);
}

void signals_hold(struct signals *held, bool stops)
{
	const struct sigaction action = {.sa_handler = note};
	sigset_t set;

	held->stops = stops;
	(void)sigemptyset(&set);
	for (size_t i = 0; i < count(held); i++)
		(void)sigaddset(&set, numbers[i]);
	noted = 0;
	(void)sigprocmask(SIG_BLOCK, &set, &held->before);

	/* What was ignored on entry (nohup) stays so. */
	for (size_t i = 0; i < count(held); i++) {
		(void)sigaction(numbers[i], NULL, &held->actions[i]);
		if (held->actions[i].sa_handler != SIG_IGN)
			(void)sigaction(numbers[i], &action, NULL);
	}
}

int signals_poll(const struct signals *held, int fd)
{
	struct pollfd poll = {.fd = fd, .events = POLLIN};
	int r = 0;

	while (noted == 0 && r == 0) {
		r = ppoll(&poll, 1, NULL, &held->before);
		if (r < 0 && errno != EINTR)
			return -EIO;
		if (r < 0)
			r = 0;
	}
	return r > 0 ? 0 : -EINTR;
}

bool signals_came(const struct signals *held)
{
	sigset_t waiting;

	if (noted != 0)
		return true;
	if (sigpending(&waiting) < 0)
		return false;
	/* One that is ignored waits all the same while it is blocked. */
	for (size_t i = 0; i < count(held); i++)
		if (sigismember(&waiting, numbers[i]) == 1 &&
		    held->actions[i].sa_handler != SIG_IGN)
			return true;
	return false;
}

void signals_release(const struct signals *held)
{
	for (size_t i = 0; i < count(held); i++)
		(void)sigaction(numbers[i], &held->actions[i], NULL);
	(void)sigprocmask(SIG_SETMASK, &held->before, NULL);
	if (noted != 0)
		(void)raise(noted);
	noted = 0;
}
