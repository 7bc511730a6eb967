/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Removable volumes that wait to be unlocked: each is tried once it is there and somebody works at its seat, and
 * again while that may help. What was unlocked before or by others is left alone until it comes anew. Knows neither
 * bus nor event loop.
 */
#pragma once

#include "units/attempt.h"
#include "units/udisks.h"

struct guest;

/* Zero it, set round.log and the next three; end it with removable_done(). It keeps its address. */
struct removable {
	struct round round;
	void *to; /* for the two */
	bool (*in_use)(const char *seat);
	/* This opens the volume. `path` is its object's, `token` the number of what gave it. */
	void (*on_secret)(void *to, const char *path, const char *device, struct ref secret,
			  int token);

	struct guest *guests;
};

void removable_done(struct removable *removable);

/* Takes in what UDisks has now. Errors: -ENOMEM. */
MUST int removable_update(struct removable *removable, const struct udisks_object *objects);

/* The object at `path` is no volume any more: if it is one again, then another. */
void removable_gone(struct removable *removable, const char *path);

/* Something about the network is new: whatever waits for another try does not wait longer. */
void removable_network_changed(struct removable *removable);

/* Goes on as far as that is possible without waiting: begins tries that are due, and hands out secrets. */
void removable_step(struct removable *removable);

/* Whether round_wait() has something to wait for. */
bool removable_running(const struct removable *removable);

/* When removable_step() should be called again where nothing runs and nobody comes or goes; UINT64_MAX: not at all. */
uint64_t removable_next_us(const struct removable *removable);
