/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Word of a network that has changed: of its links, addresses or routes. */
#pragma once

#include <systemd/sd-event.h>

/* It keeps its address as long as the event loop runs. */
struct network_watch {
	void (*on_change)(void *to);
	void *to;
};

/* Without it, tries are only further apart than they need be, so nothing is said of a failure. */
void network_watch_begin(struct network_watch *watch, sd_event *event);
