/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server as a service: its threads, and the signals that it gets. */
#pragma once

#include "tang/server/worker.h"

/*
 * Raises the limit of open files to what that many connections take; where this user may not have as
 * many, lowers the number and logs that.
 */
void service_raise_files(struct settings *settings, const struct log *log);

/*
 * Serves on all sockets until SIGTERM or SIGINT, tells systemd and the administrator when it is ready,
 * and logs the counters at SIGUSR1. Errors: those of worker_new(), worker_run() and
 * pthread_create(3), which have been logged.
 */
MUST int service_run(struct server *server, const struct listen_sockets *sockets);
