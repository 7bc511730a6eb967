/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes lines as systemd's own generators do, by the same variables of the environment. */
#include "units/generator-log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static const char *const levels[] = {
	[LOG_EMERG] = "emerg", [LOG_ALERT] = "alert",     [LOG_CRIT] = "crit",
	[LOG_ERR] = "err",     [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
	[LOG_INFO] = "info",   [LOG_DEBUG] = "debug",
};

static void sink(void *to, enum log_level level, const char *line)
{
	const struct generator_log *out = to;
	int priority = LOG_DAEMON | (level == LOG_LEVEL_DEBUG ? LOG_DEBUG : LOG_WARNING);
	char record[LOG_LINE_MAX + 64];
	int n;

	if (level == LOG_LEVEL_ERROR && out->no_error)
		return;

	/* The kernel takes one write for one record. */
	n = snprintf(record, sizeof(record), "<%d>cotter-generator[%d]: %s\n", priority,
		     (int)getpid(), line);
	if (out->kmsg < 0 || n < 0 || write(out->kmsg, record, (size_t)n) < 0)
		(void)fprintf(stderr, "cotter-generator: %s\n", line);
}

/* By its name or number; otherwise what systemd has where nothing is said. */
static int read_level(const char *word)
{
	for (int i = 0; word && i < (int)ARRAY_SIZE(levels); i++)
		if (strcmp(word, levels[i]) == 0 || (word[0] == '0' + i && !word[1]))
			return i;
	return LOG_INFO;
}

static bool by_systemd(void)
{
	const char *pid = secure_getenv("SYSTEMD_EXEC_PID");

	return pid && strtol(pid, NULL, 10) == getpid();
}

void generator_log_begin(struct generator_log *out)
{
	int level = read_level(secure_getenv("SYSTEMD_LOG_LEVEL"));

	*out = (struct generator_log){
		.log = {.sink = sink, .to = out, .debug = level >= LOG_DEBUG},
		.kmsg = by_systemd() ? open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY) : -1,
		.no_error = level < LOG_WARNING,
	};
}

void generator_log_done(struct generator_log *out)
{
	if (out->kmsg >= 0)
		(void)close(out->kmsg);
	*out = (struct generator_log){.kmsg = -1};
}
