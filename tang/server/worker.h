/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A worker accepts connections and serves them, all in one thread, through a libmicrohttpd daemon of
 * its own. Nothing that a client does or leaves undone makes it wait.
 */
#pragma once

#include "tang/server/client.h"
#include "tang/server/server.h"

#include <microhttpd.h>

struct worker;

enum worker_use { WORKER_TANG, WORKER_METRICS };

/*
 * Makes a worker for those of the sockets that are for this use. The sockets stay the caller's, and
 * must stay open. The caller owns *ret. Errors: -EIO (libmicrohttpd does not start), -ENOMEM, those
 * of epoll_create1(2).
 */
MUST int worker_new(struct server *server, const struct listen_sockets *sockets,
		    enum worker_use use, struct worker **ret);
void worker_free(struct worker *worker);

/* Gives it a connection to serve, which it closes; also on error. Errors: those of quota_enter(), -EIO. */
MUST int worker_add(struct worker *worker, int fd, const struct listen_address *from);

/*
 * Serves until the server stops, or, where it has no sockets to listen on, until its last connection is
 * closed. Errors: those of epoll_wait(2).
 */
MUST int worker_run(struct worker *worker);

struct server *worker_server(const struct worker *worker);
enum worker_use worker_use(const struct worker *worker);

/* A request of this client has come to its end; with the last one its connection is no longer counted. */
void worker_rested(struct worker *worker, struct client *client, bool last);

DEFINE_CLEANUP(struct worker *, worker_free)
