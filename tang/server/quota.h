/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many connections there are, in all and of each address. All threads share it. */
#pragma once

#include "crypto/util.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { QUOTA_BUCKETS = 1024 };

struct quota_peer;

struct quota {
	unsigned max, max_per_address;
	atomic_uint open;
	pthread_mutex_t lock;
	struct quota_peer *buckets[QUOTA_BUCKETS];
};

/* A zeroed struct may be given to quota_done(), one that is initialized must be. */
void quota_init(struct quota *quota, unsigned max, unsigned max_per_address);
void quota_done(struct quota *quota);

/* Whether no further connection should be accepted now. */
bool quota_full(const struct quota *quota);

/*
 * Counts a connection from this address, until quota_leave(*ret). All connections that have no IP
 * address count as of one. Errors: -EDQUOT (too many of this address), -ENOMEM.
 */
MUST int quota_enter(struct quota *quota, const struct sockaddr *address, struct quota_peer **ret);
void quota_leave(struct quota *quota, struct quota_peer *peer);
