/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One connection that somebody else has accepted. */
#pragma once

#include "tang/server/worker.h"

/*
 * Serves the connection `fd`, or, where that is negative, standard input and output, which may be a
 * socket, or two pipes or files. Returns once it is closed. Errors: those of worker_add(),
 * worker_run(), socketpair(2) and pthread_create(3).
 */
MUST int inetd_serve(struct server *server, int fd);
