/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counters. */
#include "tang/server/counters.h"

const unsigned counters_statuses[COUNTERS_STATUSES] = {200, 400, 403, 404, 405, 413, 503, 500, 0};

void counters_add(struct counters *counters, enum counter counter, uint64_t n)
{
	(void)atomic_fetch_add_explicit(&counters->of[counter], n, memory_order_relaxed);
}

void counters_request(struct counters *counters, enum route_kind route, unsigned status)
{
	size_t i = 0;

	while (i < COUNTERS_STATUSES - 1 && counters_statuses[i] != status)
		i++;
	(void)atomic_fetch_add_explicit(&counters->requests[route][i], 1, memory_order_relaxed);
}

uint64_t counters_get(const struct counters *counters, enum counter counter)
{
	return atomic_load_explicit(&counters->of[counter], memory_order_relaxed);
}

uint64_t counters_requests(const struct counters *counters, enum route_kind route, size_t status)
{
	return atomic_load_explicit(&counters->requests[route][status], memory_order_relaxed);
}
