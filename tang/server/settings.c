/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command line. */
#include "tang/server/settings.h"

#include <errno.h>
#include <getopt.h>

enum { PORT_DEFAULT = 9090, COUNT_MAX = 1000 * 1000, SECONDS_MAX = 24 * 60 * 60 };

/* Those without a letter of their own are numbered beyond all letters. */
enum option_id {
	OPTION_LISTEN = 'l',
	OPTION_PORT = 'p',
	OPTION_ENDPOINT = 'e',
	OPTION_VERSION = 'V',
	OPTION_HELP = 256,
	OPTION_WORKERS,
	OPTION_CERTIFICATE,
	OPTION_KEY,
	OPTION_CLIENT_CA,
	OPTION_METRICS,
	OPTION_USAGE,
	OPTION_LOG,
	OPTION_MAX,
	OPTION_MAX_PER_ADDRESS,
	OPTION_IDLE_TIMEOUT,
	OPTION_REQUEST_TIMEOUT,
};

static const struct option long_options[] = {
	{"endpoint", required_argument, NULL, OPTION_ENDPOINT},
	{"help", no_argument, NULL, OPTION_HELP},
	{"idle-timeout", required_argument, NULL, OPTION_IDLE_TIMEOUT},
	{"listen", optional_argument, NULL, OPTION_LISTEN},
	{"log", required_argument, NULL, OPTION_LOG},
	{"max-connections", required_argument, NULL, OPTION_MAX},
	{"max-connections-per-address", required_argument, NULL, OPTION_MAX_PER_ADDRESS},
	{"metrics", required_argument, NULL, OPTION_METRICS},
	{"port", required_argument, NULL, OPTION_PORT},
	{"request-timeout", required_argument, NULL, OPTION_REQUEST_TIMEOUT},
	{"tls-certificate", required_argument, NULL, OPTION_CERTIFICATE},
	{"tls-client-ca", required_argument, NULL, OPTION_CLIENT_CA},
	{"tls-key", required_argument, NULL, OPTION_KEY},
	{"usage", required_argument, NULL, OPTION_USAGE},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"workers", required_argument, NULL, OPTION_WORKERS},
	{0},
};

/* What of the command line is no setting by itself. */
struct reading {
	struct settings settings;
	const struct log *log;
	unsigned port;
	bool all; /* addresses */
};

static const char *name_of(int option)
{
	for (size_t i = 0; long_options[i].name; i++)
		if (long_options[i].val == option)
			return long_options[i].name;
	return "";
}

static int read_number(const struct reading *reading, int option, unsigned max, unsigned *ret)
{
	const char *text = optarg;
	unsigned value = 0;

	for (; *text >= '0' && *text <= '9' && value <= max; text++)
		value = value * 10 + (unsigned)(*text - '0');
	if (text == optarg || *text || value < 1 || value > max)
		return log_err(reading->log, -EINVAL, "--%s=%s is no number from 1 to %u",
			       name_of(option), optarg, max);
	*ret = value;
	return 0;
}

static int read_address(const struct reading *reading, int option, struct listen_address *ret)
{
	if (listen_address_read(optarg, ret) < 0)
		return log_err(reading->log, -EINVAL,
			       "--%s=%s is no address and port, such as 192.0.2.1:9090 or "
			       "[2001:db8::1]:9090",
			       name_of(option), optarg);
	return 0;
}

static int read_listen(struct reading *reading)
{
	struct settings *settings = &reading->settings;
	int r;

	if (!optarg) {
		reading->all = true;
		return 0;
	}
	if (settings->n_listen == ARRAY_SIZE(settings->listen))
		return log_err(reading->log, -E2BIG, "--listen can be given %u times",
			       (unsigned)LISTEN_MAX);
	r = read_address(reading, OPTION_LISTEN, &settings->listen[settings->n_listen]);
	if (r == 0)
		settings->n_listen++;
	return r;
}

static int read_log(struct reading *reading)
{
	static const char *const names[] = {
		[SETTINGS_LOG_NONE] = "none",
		[SETTINGS_LOG_ERROR] = "error",
		[SETTINGS_LOG_RECOVERY] = "recovery",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(optarg, names[i]) == 0) {
			reading->settings.log = (enum settings_log)i;
			return 0;
		}
	return log_err(reading->log, -EINVAL, "--log=%s is none of none, error and recovery",
		       optarg);
}

/* Those that are no mere text. */
static int read_value(struct reading *reading, int option)
{
	struct settings *settings = &reading->settings;

	switch (option) {
	case OPTION_LISTEN:
		return read_listen(reading);
	case OPTION_PORT:
		return read_number(reading, option, UINT16_MAX, &reading->port);
	case OPTION_METRICS:
		settings->has_metrics = true;
		return read_address(reading, option, &settings->metrics);
	case OPTION_LOG:
		return read_log(reading);
	case OPTION_WORKERS:
		return read_number(reading, option, 1024, &settings->workers);
	case OPTION_MAX:
		return read_number(reading, option, COUNT_MAX, &settings->max_connections);
	case OPTION_MAX_PER_ADDRESS:
		return read_number(reading, option, COUNT_MAX,
				   &settings->max_connections_per_address);
	case OPTION_IDLE_TIMEOUT:
		return read_number(reading, option, SECONDS_MAX, &settings->idle_timeout);
	case OPTION_REQUEST_TIMEOUT:
		return read_number(reading, option, SECONDS_MAX, &settings->request_timeout);
	default:
		return log_err(reading->log, -EINVAL,
			       "an option is unknown or lacks its value; see cotter-tangd --help");
	}
}

/* A path without the slashes around it; NULL where nothing is left. */
static const char *bare(char *path)
{
	size_t n;

	path += strspn(path, "/");
	for (n = strlen(path); n > 0 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	return n > 0 ? path : NULL;
}

static int read_option(struct reading *reading, int option)
{
	struct settings *settings = &reading->settings;

	switch (option) {
	case OPTION_HELP:
		settings->help = true;
		return 0;
	case OPTION_VERSION:
		settings->version = true;
		return 0;
	case OPTION_ENDPOINT:
		settings->endpoint = bare(optarg);
		return 0;
	case OPTION_USAGE:
		settings->usage = optarg;
		return 0;
	case OPTION_CERTIFICATE:
		settings->certificate = optarg;
		return 0;
	case OPTION_KEY:
		settings->key = optarg;
		return 0;
	case OPTION_CLIENT_CA:
		settings->client_ca = optarg;
		return 0;
	default:
		return read_value(reading, option);
	}
}

static int settle(struct reading *reading, int n_left, char *const *left)
{
	struct settings *settings = &reading->settings;

	if (n_left != 1)
		return log_err(reading->log, -EINVAL,
			       "one folder with keys must be named; see cotter-tangd --help");
	settings->folder = left[0];
	if (!settings->certificate != !settings->key)
		return log_err(reading->log, -EINVAL,
			       "--tls-certificate and --tls-key go together");
	if (settings->client_ca && !settings->key)
		return log_err(reading->log, -EINVAL,
			       "--tls-client-ca needs --tls-certificate and --tls-key");
	if (reading->all && settings->n_listen == ARRAY_SIZE(settings->listen))
		return log_err(reading->log, -E2BIG, "--listen can be given %u times",
			       (unsigned)LISTEN_MAX);
	if (reading->all)
		settings->listen[settings->n_listen++] =
			listen_address_all((uint16_t)reading->port);
	return 0;
}

int settings_parse(int argc, char **argv, const struct log *log, struct settings *ret)
{
	struct reading reading = {
		.settings = {.max_connections = 4096,
			     .max_connections_per_address = 2048,
			     .idle_timeout = 10,
			     .request_timeout = 30,
			     .log = SETTINGS_LOG_RECOVERY},
		.log = log,
		.port = PORT_DEFAULT,
	};
	int option, r = 0;

	optind = 0;
	opterr = 0;
	while (r == 0 && (option = getopt_long(argc, argv, "lp:e:V", long_options, NULL)) >= 0)
		r = read_option(&reading, option);
	if (r == 0 && !reading.settings.help && !reading.settings.version)
		r = settle(&reading, argc - optind, argv + optind);
	if (r < 0)
		return r;

	*ret = reading.settings;
	return 0;
}
