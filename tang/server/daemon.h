/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How libmicrohttpd is set up. */
#pragma once

#include "tang/server/worker.h"

/*
 * Starts a daemon that its worker polls and gives connections; `on_connection` gets the worker and hears of
 * each one's begin and end. NULL where it does not start. End it with MHD_stop_daemon().
 */
struct MHD_Daemon *daemon_start(struct worker *worker, MHD_NotifyConnectionCallback on_connection);
