/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cotter-tangd's command line says; it takes tangd's own as well. */
#pragma once

#include "crypto/log.h"
#include "tang/server/listen.h"

enum settings_log { SETTINGS_LOG_NONE, SETTINGS_LOG_ERROR, SETTINGS_LOG_RECOVERY };

/* Texts are borrowed from the command line. */
struct settings {
	const char *folder;
	const char *endpoint; /* without slashes around it; NULL where there is none */
	const char *usage;    /* NULL: no record */
	const char *certificate, *key, *client_ca;
	struct listen_address listen[LISTEN_MAX];
	size_t n_listen;
	struct listen_address metrics;
	bool has_metrics;
	unsigned workers; /* 0: as many as there are CPUs for this process */
	unsigned max_connections, max_connections_per_address;
	unsigned idle_timeout, request_timeout; /* seconds */
	enum settings_log log;
	bool help, version;
};

/* Errors: -EINVAL, -E2BIG (too many addresses), which have been logged. */
MUST int settings_parse(int argc, char **argv, const struct log *log, struct settings *ret);

/* The text of --help, in parts that a C compiler must take; NULL ends it. */
extern const char *const settings_help[];
