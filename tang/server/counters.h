/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the server has done since it started. All threads count, none waits. */
#pragma once

#include "crypto/util.h"
#include "tang/server/route.h"

#include <stdatomic.h>

enum counter {
	COUNTER_CONNECTIONS,    /* accepted */
	COUNTER_REFUSED,        /* closed, as their address had too many */
	COUNTER_CUT,            /* closed, as no request came to its end in time */
	COUNTER_RECOVERY_USECS, /* spent in recoveries, good and bad */
	COUNTERS,
};

enum { COUNTERS_STATUSES = 9 };

/* Requests are counted by these; the last one stands for all others. */
extern const unsigned counters_statuses[COUNTERS_STATUSES];

struct counters {
	atomic_ullong of[COUNTERS];
	atomic_ullong requests[ROUTE_KINDS][COUNTERS_STATUSES];
};

void counters_add(struct counters *counters, enum counter counter, uint64_t n);
void counters_request(struct counters *counters, enum route_kind route, unsigned status);

uint64_t counters_get(const struct counters *counters, enum counter counter);

/* `status` is an index into counters_statuses. */
uint64_t counters_requests(const struct counters *counters, enum route_kind route, size_t status);
