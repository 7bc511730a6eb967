/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One connection, and a worker's list of them in the order in which their time is up. */
#pragma once

#include "tang/server/listen.h"
#include "tang/server/quota.h"

#include <stdbool.h>

enum client_state {
	CLIENT_FRESH, /* nothing came yet */
	CLIENT_BUSY,  /* a request has begun */
	CLIENT_IDLE,  /* between requests */
};

struct clients;

struct client {
	struct client *previous, *next;
	uint64_t deadline_us; /* when it is cut, unless a request has come to its end */
	struct clients *list; /* that it is in; NULL: in none */
	int fd;               /* libmicrohttpd's */
	enum client_state state;
	struct listen_address address;
	struct quota_peer *peer;
	char *subject; /* of its certificate, once that was verified */
};

/* A zeroed list is an empty one; it must stay where it is. */
struct clients {
	struct client *first, *last;
};

/*
 * Puts it last, taking it from the list that it is in: a deadline given never comes before those given
 * earlier.
 */
void clients_add(struct clients *clients, struct client *client, uint64_t deadline_us);

/* Takes it from the list that it is in, if any. */
void clients_remove(struct client *client);

/* Takes the first one from the list if its time is up; NULL where it is not. */
struct client *clients_expired(struct clients *clients, uint64_t now);

/* Nobody gets more time than this. */
void clients_limit(struct clients *clients, uint64_t deadline_us);
