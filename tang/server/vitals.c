/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A check that is not repeated for everyone who asks. */
#include "tang/server/vitals.h"

void vitals_init(struct vitals *vitals)
{
	*vitals = (struct vitals){0};
	(void)pthread_mutex_init(&vitals->lock, NULL);
}

void vitals_done(struct vitals *vitals)
{
	(void)pthread_mutex_destroy(&vitals->lock);
}

int vitals_check(struct vitals *vitals, struct store *store)
{
	uint64_t now = now_us();
	int r;

	(void)pthread_mutex_lock(&vitals->lock);
	if (now >= vitals->next_us) {
		CLEANUP(keys_unrefp) struct keys *keys = store_keys(store);

		vitals->last = check_keys(keys);
		vitals->next_us = now + USEC_PER_SEC;
	}
	r = vitals->last;
	(void)pthread_mutex_unlock(&vitals->lock);
	return r;
}
