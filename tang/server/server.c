/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all workers share. */
#include "tang/server/server.h"

#include <errno.h>
#include <sys/eventfd.h>

enum { METRICS_CONNECTIONS = 64 };

int server_new(const struct settings *settings, struct store *store, const struct notice *notice,
	       const struct log *log, struct server **ret)
{
	CLEANUP(server_freep) struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	*server = (struct server){
		.settings = settings,
		.store = store,
		.notice = notice,
		.log = *log,
		.started = time(NULL),
	};
	quota_init(&server->quota, settings->max_connections,
		   settings->max_connections_per_address);
	quota_init(&server->metrics_quota, METRICS_CONNECTIONS, METRICS_CONNECTIONS);
	vitals_init(&server->vitals);
	server->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->stop < 0)
		return -errno;
	r = tls_load(settings, log, &server->tls);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(server);
	return 0;
}

void server_free(struct server *server)
{
	tls_done(&server->tls);
	vitals_done(&server->vitals);
	quota_done(&server->metrics_quota);
	quota_done(&server->quota);
	close_fd(&server->stop);
	free(server);
}

void server_stop(struct server *server)
{
	atomic_store(&server->stopping, true);
	(void)eventfd_write(server->stop, 1);
}
