/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How libmicrohttpd is set up. */
#include "tang/server/daemon.h"

#include "tang/server/answer.h"

#include <stdio.h>

/* One thread has each daemon. Without that said, newer versions give it a connection only at the next turn. */
#if MHD_VERSION >= 0x00097707
static const unsigned alone = MHD_USE_NO_THREAD_SAFETY;
#else
static const unsigned alone = 0;
#endif

/* Unless strict, 1.0 answers a space in a target by a redirect; if strict, older ones close some connections. */
#if MHD_VERSION >= 0x01000000
static const int strict = 1;
#else
static const int strict = 0;
#endif

enum {
	POOL_SIZE = 12 * 1024, /* of each connection: 8 KiB of headers, and what is made of them */
	UNCOUNTED_MAX = 4096,  /* connections that are over, but not closed yet */
};

/* Paths are taken as they are: base64url needs no escapes. */
static size_t leave_escapes(void *to, struct MHD_Connection *connection, char *text)
{
	(void)to;
	(void)connection;
	return strlen(text);
}

static void PRINTF_LIKE(2, 0) on_log(void *to, const char *fmt, va_list ap)
{
	const struct log *log = &worker_server(to)->log;
	char line[LOG_LINE_MAX];
	int n;

	if (!log->debug)
		return;
	n = vsnprintf(line, sizeof(line), fmt, ap);
	if (n > 0 && line[strlen(line) - 1] == '\n')
		line[strlen(line) - 1] = '\0';
	(void)log_dbg(log, 0, "libmicrohttpd: %s", line);
}

struct MHD_Daemon *daemon_start(struct worker *worker, MHD_NotifyConnectionCallback on_connection)
{
	const struct server *server = worker_server(worker);
	const struct settings *settings = server->settings;
	unsigned flags = alone | MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_TURBO |
			 MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[5] = {{MHD_OPTION_END, 0, NULL}};
	size_t n = 0;

	if (settings->key && worker_use(worker) == WORKER_TANG) {
		flags |= MHD_USE_TLS;
		tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, server->tls.key.p};
		tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
						   server->tls.certificate.p};
		tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
						   (void *)(uintptr_t)TLS_PRIORITIES};
		if (settings->client_ca)
			tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0,
							   server->tls.client_ca.p};
		tls[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	}
	return MHD_start_daemon(
		flags, 0, NULL, NULL, answer_request, worker, MHD_OPTION_EXTERNAL_LOGGER, on_log,
		worker, MHD_OPTION_CONNECTION_LIMIT, settings->max_connections + UNCOUNTED_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_timeout,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_SIZE, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, worker, MHD_OPTION_NOTIFY_COMPLETED, answer_end, worker,
		MHD_OPTION_URI_LOG_CALLBACK, answer_begin, worker, MHD_OPTION_UNESCAPE_CALLBACK,
		leave_escapes, worker, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_STRICT_FOR_CLIENT, strict, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}
