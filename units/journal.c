/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes to the journal. */
#include "units/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

static void write_line(void *to, enum log_level level, const char *line)
{
	(void)to;
	(void)fprintf(stderr, "%s%s\n", level == LOG_LEVEL_ERROR ? SD_ERR : SD_DEBUG, line);
}

struct log journal_log(void)
{
	const char *level = secure_getenv("SYSTEMD_LOG_LEVEL");

	return (struct log){
		.sink = write_line,
		.debug = level && strcmp(level, "debug") == 0,
	};
}
