/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all workers share. */
#pragma once

#include "tang/server/counters.h"
#include "tang/server/notice.h"
#include "tang/server/quota.h"
#include "tang/server/tls.h"
#include "tang/server/vitals.h"

struct server {
	const struct settings *settings;
	struct store *store;
	const struct notice *notice;
	struct log log;
	struct tls tls;
	struct quota quota;
	struct quota metrics_quota; /* who measures must get through when all else is full */
	struct counters counters;
	struct vitals vitals;
	time_t started;
	int stop; /* an eventfd: readable once all shall stop */
	atomic_bool stopping;
};

/* The caller owns *ret; all else is borrowed. Errors: those of eventfd(2) and tls_load(), -ENOMEM. */
MUST int server_new(const struct settings *settings, struct store *store,
		    const struct notice *notice, const struct log *log, struct server **ret);
void server_free(struct server *server);

DEFINE_CLEANUP(struct server *, server_free)

/* Has all workers finish what is under way, and return. Fit for a signal's handler. */
void server_stop(struct server *server);
