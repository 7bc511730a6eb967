/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals that would end the process, held back until what must be put back was put back. */
#pragma once

#include "crypto/util.h"

#include <signal.h>
#include <stdbool.h>

enum { SIGNALS_MAX = 8 };

struct signals {
	bool stops;
	sigset_t before;
	struct sigaction actions[SIGNALS_MAX];
};

/*
 * From here on SIGINT, SIGTERM, SIGHUP, SIGQUIT and, where `stops`, SIGTSTP are blocked, and only
 * noted while signals_poll() waits. One at a time in a process.
 */
void signals_hold(struct signals *held, bool stops);

/* Waits until `fd` can be read. Errors: -EINTR (a signal was noted), -EIO. */
MUST int signals_poll(const struct signals *held, int fd);

/* Whether one of them was noted or waits. */
bool signals_came(const struct signals *held);

/* Puts everything back; a signal that was held acts now, which may be the end. */
void signals_release(const struct signals *held);
