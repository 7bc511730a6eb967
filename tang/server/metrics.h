/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counters as text: for OpenMetrics, and for people. */
#pragma once

#include "tang/server/server.h"

#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* OpenMetrics' text format, in a new buffer. Errors: -ENOMEM. */
MUST int metrics_write(struct server *server, struct buf *ret);

/* One line. */
void metrics_line(const struct server *server, char ret[LOG_LINE_MAX]);
