/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cotter-tangd: a Tang server. */
#include "crypto/process.h"
#include "tang/server/inetd.h"
#include "tang/server/service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 2 };

static int print(const char *const texts[])
{
	for (size_t i = 0; texts[i]; i++)
		if (fputs(texts[i], stdout) < 0)
			return EXIT_FAILURE;
	return fflush(stdout) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int open_one(struct listen_sockets *sockets, const struct listen_address *address,
		    bool metrics, const struct log *log)
{
	struct listen_socket socket = {.fd = -1, .metrics = metrics};
	char text[LISTEN_TEXT_MAX];
	int r;

	r = listen_open(address, &socket.fd);
	if (r == 0)
		r = listen_add(sockets, socket);
	if (r < 0) {
		close_fd(&socket.fd);
		listen_address_write(&address->any, true, text);
		return log_err(log, r, "cannot listen on %s: %s", text, strerror(-r));
	}
	return 0;
}

static int open_sockets(const struct settings *settings, const struct log *log,
			struct listen_sockets *sockets)
{
	int r;

	r = listen_inherit(sockets);
	if (r < 0)
		return log_err(log, r, "what systemd hands over cannot be used: %s", strerror(-r));
	for (size_t i = 0; r == 0 && i < settings->n_listen; i++)
		r = open_one(sockets, &settings->listen[i], false, log);
	if (r == 0 && settings->has_metrics)
		r = open_one(sockets, &settings->metrics, true, log);
	return r;
}

/* Whether there is a socket on which clients of Tang connect. */
static bool is_service(const struct listen_sockets *sockets)
{
	for (size_t i = 0; i < sockets->n; i++)
		if (!sockets->of[i].metrics)
			return true;
	return false;
}

static int serve(struct settings *settings, const struct notice *notice, const struct log *log)
{
	CLEANUP(listen_done) struct listen_sockets sockets = LISTEN_SOCKETS_NONE;
	CLEANUP(store_closep) struct store *store = NULL;
	CLEANUP(server_freep) struct server *server = NULL;
	int r;

	r = open_sockets(settings, log, &sockets);
	if (r == 0)
		r = store_open(settings->folder, log, &store);
	if (r < 0)
		return r;
	if (is_service(&sockets))
		service_raise_files(settings, log);
	r = server_new(settings, store, notice, log, &server);
	if (r < 0)
		return r;
	return is_service(&sockets) ? service_run(server, &sockets)
				    : inetd_serve(server, sockets.connection);
}

/* What fails for want of memory alone is not told of where it happens. */
static int fail(const struct notice *notice, const struct log *log, int status)
{
	if (!notice->failed)
		(void)log_err(log, 0, "memory is short, so the server ends");
	return status;
}

int main(int argc, char **argv)
{
	static const char *const version[] = {"cotter-tangd " COTTER_VERSION "\n", NULL};
	struct settings settings;
	struct notice notice;
	struct log log;

	if (process_begin() < 0)
		return EXIT_FAILURE;
	(void)signal(SIGPIPE, SIG_IGN);

	notice_init(&notice, SETTINGS_LOG_ERROR);
	log = notice_log(&notice);
	if (settings_parse(argc, argv, &log, &settings) < 0)
		return fail(&notice, &log, EXIT_USAGE);
	if (settings.help || settings.version)
		return print(settings.help ? settings_help : version);
	notice.wanted = settings.log;
	return serve(&settings, &notice, &log) < 0 ? fail(&notice, &log, EXIT_FAILURE)
						   : EXIT_SUCCESS;
}
