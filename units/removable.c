/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps the removable volumes, and recovers what opens them. */
#include "units/removable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A removable volume that is there. */
struct guest {
	struct guest *next;
	char path[UDISKS_TEXT_MAX];
	char device[UDISKS_TEXT_MAX];
	char seat[UDISKS_TEXT_MAX];
	struct attempt attempt; /* its volume NULL: the header has not been read */
	bool seen;              /* by the last look */
};

static void guest_free(struct guest *guest)
{
	attempt_done(&guest->attempt);
	free(guest);
}

void removable_done(struct removable *removable)
{
	while (removable->guests) {
		struct guest *guest = removable->guests;

		removable->guests = guest->next;
		guest_free(guest);
	}
	round_done(&removable->round);
}

bool removable_running(const struct removable *removable)
{
	for (const struct guest *guest = removable->guests; guest; guest = guest->next)
		if (attempt_running(&guest->attempt))
			return true;
	return false;
}

/* Where nobody is at the seat, that somebody comes is the event to wait for. */
uint64_t removable_next_us(const struct removable *removable)
{
	uint64_t next = UINT64_MAX;

	for (const struct guest *guest = removable->guests; guest; guest = guest->next)
		if (attempt_next_us(&guest->attempt) < next && removable->in_use(guest->seat))
			next = attempt_next_us(&guest->attempt);
	return next;
}

void removable_network_changed(struct removable *removable)
{
	for (struct guest *guest = removable->guests; guest; guest = guest->next)
		guest->attempt.next_us = 0;
}

/* Frees those that were not seen, and the one at `path`. */
static void drop(struct removable *removable, const char *path)
{
	struct guest **at = &removable->guests;

	while (*at) {
		struct guest *guest = *at;

		if (path ? strcmp(guest->path, path) != 0 : guest->seen) {
			at = &guest->next;
			continue;
		}
		*at = guest->next;
		guest_free(guest);
	}
	if (!removable_running(removable))
		round_end(&removable->round);
}

void removable_gone(struct removable *removable, const char *path)
{
	drop(removable, path);
}

static struct guest *find(const struct removable *removable, const char *path)
{
	struct guest *guest = removable->guests;

	while (guest && strcmp(guest->path, path) != 0)
		guest = guest->next;
	return guest;
}

static struct guest *add(struct removable *removable, const struct udisks_object *objects,
			 const struct udisks_object *object)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (!guest)
		return NULL;
	(void)snprintf(guest->path, sizeof(guest->path), "%s", object->path);
	(void)snprintf(guest->device, sizeof(guest->device), "%s", object->device);
	(void)snprintf(guest->seat, sizeof(guest->seat), "%s", udisks_seat(objects, object));
	guest->next = removable->guests;
	removable->guests = guest;
	return guest;
}

/* Somebody else unlocked it: the try ends, and if it is locked again, then on purpose. */
static void leave_alone(struct guest *guest)
{
	attempt_done(&guest->attempt);
	guest->attempt.over = true;
}

int removable_update(struct removable *removable, const struct udisks_object *objects)
{
	for (struct guest *guest = removable->guests; guest; guest = guest->next)
		guest->seen = false;
	for (const struct udisks_object *object = objects; object; object = object->next) {
		struct guest *guest = find(removable, object->path);

		if (!udisks_removable(object))
			continue;
		if (!guest)
			guest = add(removable, objects, object);
		if (!guest)
			return -ENOMEM;
		guest->seen = true;
		if (udisks_unlocked(objects, object))
			leave_alone(guest);
	}
	drop(removable, NULL);
	return 0;
}

/* Reads the header once that is wanted. One without a binding is no affair of ours. */
static bool has_binding(struct removable *removable, struct guest *guest)
{
	if (!guest->attempt.volume &&
	    volume_open_any(guest->device, removable->round.log, &guest->attempt.volume) < 0)
		guest->attempt.over = true;
	return !guest->attempt.over;
}

/* Who comes to work at the seat later finds it tried again. */
static void step_guest(struct removable *removable, struct guest *guest, bool begin)
{
	CLEANUP(buf_done) struct buf secret = {0};
	struct attempt *attempt = &guest->attempt;
	int r, id = 0;

	r = begin ? attempt_begin(&removable->round, attempt, &secret, &id)
		  : attempt_step(&removable->round, attempt, &secret, &id);
	if (r < 0)
		return;
	if (!removable->in_use(guest->seat)) {
		attempt->over = false;
		return;
	}
	removable->on_secret(removable->to, guest->path, guest->device, buf_ref(&secret), id);
	leave_alone(guest);
}

void removable_step(struct removable *removable)
{
	uint64_t now = now_us();

	for (struct guest *guest = removable->guests; guest; guest = guest->next)
		if (attempt_next_us(&guest->attempt) <= now && removable->in_use(guest->seat) &&
		    has_binding(removable, guest))
			step_guest(removable, guest, true);
	round_go_on(&removable->round);
	for (struct guest *guest = removable->guests; guest; guest = guest->next)
		if (attempt_running(&guest->attempt))
			step_guest(removable, guest, false);
	if (!removable_running(removable))
		round_end(&removable->round);
}
