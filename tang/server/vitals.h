/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the server works, for who watches it: really tried, but at most once a second. */
#pragma once

#include "tang/server/check.h"
#include "tang/server/store.h"

#include <pthread.h>

struct vitals {
	pthread_mutex_t lock;
	uint64_t next_us; /* when it is tried again */
	int last;
};

void vitals_init(struct vitals *vitals);
void vitals_done(struct vitals *vitals);

/* Errors: those of check_keys(). */
MUST int vitals_check(struct vitals *vitals, struct store *store);
